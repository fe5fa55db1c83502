// SPDX-License-Identifier: MIT
#include "core/metrics/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace edge::metrics {
namespace {

constexpr std::size_t kMaxCombinations = 1000;

/// Escapes a label value: backslash, quote and line end.
void append_value(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') {
      out += '\\';
    }
    out += c;
  }
}

/// `{a="x",b="y"}` with one more pair at the end when `extra` is not empty; nothing when there is
/// no pair.
std::string label_text(const std::vector<std::string>& names,
                       const std::vector<std::string>& values,
                       std::string_view extra = {}) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += out.empty() ? '{' : ',';
    out += names[i];
    out += "=\"";
    append_value(out, values[i]);
    out += '"';
  }
  if (!extra.empty()) {
    out += out.empty() ? '{' : ',';
    out += extra;
  }
  return out.empty() ? out : out + '}';
}

void append_head(std::string& out,
                 std::string_view name,
                 std::string_view help,
                 std::string_view type) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

template <typename Map, typename Make>
auto& find_or_make(std::mutex& mutex, Map& map, std::string_view name, const Make& make) {
  const std::lock_guard lock(mutex);
  const auto found = map.find(name);
  if (found != map.end()) {
    return *found->second;
  }
  return *map.emplace(std::string(name), make()).first->second;
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), buckets_(bounds.size() + 1) {}

void Histogram::observe(double value) {
  const auto place = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
  }
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& bucket : buckets_) {
    total += bucket.load(std::memory_order_relaxed);
  }
  return total;
}

template <typename T>
T& Family<T>::with(std::initializer_list<std::string_view> values) {
  if (values.size() != labels_.size()) {
    throw std::invalid_argument(name_ + ": wrong number of labels");
  }
  const std::lock_guard lock(mutex_);
  auto found = values_.find(values);
  if (found != values_.end()) {
    return *found->second;
  }
  std::vector<std::string> key(values.begin(), values.end());
  if (values_.size() >= kMaxCombinations) {
    key.assign(labels_.size(), "other");
    found = values_.find(key);
  }
  if (found == values_.end()) {
    found = values_.emplace(std::move(key), make_()).first;
  }
  return *found->second;
}

template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;

CounterFamily& Registry::counter(std::string_view name,
                                 std::string_view help,
                                 std::vector<std::string> labels) {
  return find_or_make(mutex_, counters_, name, [&] {
    return std::make_unique<CounterFamily>(
        std::string(name), std::string(help), std::move(labels), [] {
          return std::make_unique<Counter>();
        });
  });
}

GaugeFamily& Registry::gauge(std::string_view name,
                             std::string_view help,
                             std::vector<std::string> labels) {
  return find_or_make(mutex_, gauges_, name, [&] {
    return std::make_unique<GaugeFamily>(
        std::string(name), std::string(help), std::move(labels), [] {
          return std::make_unique<Gauge>();
        });
  });
}

HistogramFamily& Registry::histogram(std::string_view name,
                                     std::string_view help,
                                     std::vector<std::string> labels,
                                     std::span<const double> bounds) {
  return find_or_make(mutex_, histograms_, name, [&] {
    return std::make_unique<HistogramFamily>(
        std::string(name),
        std::string(help),
        std::move(labels),
        [kept = std::vector<double>(bounds.begin(), bounds.end())] {
          return std::make_unique<Histogram>(kept);
        });
  });
}

void Registry::observed(std::string_view name,
                        std::string_view help,
                        std::function<std::int64_t()> read) {
  const std::lock_guard lock(mutex_);
  observed_.insert_or_assign(std::string(name), Observed{std::string(help), std::move(read)});
}

void Registry::append(std::string& out, const CounterFamily& family) {
  append_head(out, family.name_, family.help_, "counter");
  const std::lock_guard lock(family.mutex_);
  for (const auto& [values, counter] : family.values_) {
    fmt::format_to(std::back_inserter(out),
                   "{}{} {}\n",
                   family.name_,
                   label_text(family.labels_, values),
                   counter->value());
  }
}

void Registry::append(std::string& out, const GaugeFamily& family) {
  append_head(out, family.name_, family.help_, "gauge");
  const std::lock_guard lock(family.mutex_);
  for (const auto& [values, gauge] : family.values_) {
    fmt::format_to(std::back_inserter(out),
                   "{}{} {}\n",
                   family.name_,
                   label_text(family.labels_, values),
                   gauge->value());
  }
}

void Registry::append(std::string& out, const HistogramFamily& family) {
  append_head(out, family.name_, family.help_, "histogram");
  const std::lock_guard lock(family.mutex_);
  for (const auto& [values, histogram] : family.values_) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram->buckets_.size(); ++i) {
      below += histogram->buckets_[i].load(std::memory_order_relaxed);
      const std::string bound = i < histogram->bounds_.size()
                                    ? fmt::format("le=\"{}\"", histogram->bounds_[i])
                                    : "le=\"+Inf\"";
      fmt::format_to(std::back_inserter(out),
                     "{}_bucket{} {}\n",
                     family.name_,
                     label_text(family.labels_, values, bound),
                     below);
    }
    const std::string labels = label_text(family.labels_, values);
    fmt::format_to(std::back_inserter(out),
                   "{0}_sum{1} {2}\n{0}_count{1} {3}\n",
                   family.name_,
                   labels,
                   histogram->sum_.load(std::memory_order_relaxed),
                   below);
  }
}

std::string Registry::text() const {
  // Families are never removed and `read` may take its time, so nothing is printed under the lock.
  std::vector<const CounterFamily*> counters;
  std::vector<const GaugeFamily*> gauges;
  std::vector<const HistogramFamily*> histograms;
  std::vector<std::pair<std::string, Observed>> observed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, family] : counters_) {
      counters.push_back(family.get());
    }
    for (const auto& [name, family] : gauges_) {
      gauges.push_back(family.get());
    }
    for (const auto& [name, family] : histograms_) {
      histograms.push_back(family.get());
    }
    observed.assign(observed_.begin(), observed_.end());
  }
  std::string out;
  for (const auto* family : counters) {
    append(out, *family);
  }
  for (const auto* family : gauges) {
    append(out, *family);
  }
  for (const auto& [name, gauge] : observed) {
    append_head(out, name, gauge.help, "gauge");
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, gauge.read());
  }
  for (const auto* family : histograms) {
    append(out, *family);
  }
  return out;
}

}  // namespace edge::metrics
