// SPDX-License-Identifier: MIT
// Counters, gauges and histograms, printed as Prometheus text (exposition format 0.0.4).
//
//     auto& accepted = registry.counter("edge_events_total", "Events taken in", {"type"});
//     accepted.with({"track"}).add();              // keep the reference: `with` takes a lock,
//     `add` does not registry.gauge("edge_log_head", "Newest position of the
//     log").with({}).set(42); registry.histogram("edge_commit_seconds", "Time of a
//     commit").with({}).observe(0.003);
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::metrics {

/// A number that only grows. Thread-safe, lock-free.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down. Thread-safe, lock-free.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Upper bounds for times: 0.5 ms to 10 s.
inline constexpr std::array<double, 14> kSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

/// How often values fell below each of some bounds. Thread-safe, lock-free.
class Histogram {
 public:
  /// `bounds` ascend; at most 30.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value);
  [[nodiscard]] std::uint64_t count() const;

 private:
  friend class Registry;
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> buckets_;  // one more than bounds
  std::atomic<double> sum_{0};
};

/// Orders label values; those of a caller are compared without being copied.
struct LabelOrder {
  using is_transparent = void;
  template <typename Left, typename Right>
  bool operator()(const Left& left, const Right& right) const {
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end());
  }
};

/// One metric with one value for each combination of its labels. Thread-safe.
template <typename T>
class Family {
 public:
  Family(std::string name,
         std::string help,
         std::vector<std::string> labels,
         std::function<std::unique_ptr<T>()> make)
      : name_(std::move(name)),
        help_(std::move(help)),
        labels_(std::move(labels)),
        make_(std::move(make)) {}

  /// The value for these labels, in the order they were declared; made at first use. At most 1000
  /// combinations: further ones share the one whose labels are all `other`.
  T& with(std::initializer_list<std::string_view> values);

 private:
  friend class Registry;
  const std::string name_;
  const std::string help_;
  const std::vector<std::string> labels_;
  const std::function<std::unique_ptr<T>()> make_;
  mutable std::mutex mutex_;
  std::map<std::vector<std::string>, std::unique_ptr<T>, LabelOrder> values_;  // guarded by mutex_
};

using CounterFamily = Family<Counter>;
using GaugeFamily = Family<Gauge>;
using HistogramFamily = Family<Histogram>;

/// All metrics of one process. Thread-safe. Asking for a name again gives the same metric; names
/// begin with `edge_`.
class Registry {
 public:
  CounterFamily& counter(std::string_view name,
                         std::string_view help,
                         std::vector<std::string> labels = {});
  GaugeFamily& gauge(std::string_view name,
                     std::string_view help,
                     std::vector<std::string> labels = {});
  HistogramFamily& histogram(std::string_view name,
                             std::string_view help,
                             std::vector<std::string> labels = {},
                             std::span<const double> bounds = kSeconds);
  /// A gauge that is asked when printed, for what is counted elsewhere. `read` must outlive the
  /// registry's use.
  void observed(std::string_view name, std::string_view help, std::function<std::int64_t()> read);

  /// Everything in exposition format 0.0.4, each kind in name order.
  [[nodiscard]] std::string text() const;

 private:
  static void append(std::string& out, const CounterFamily& family);
  static void append(std::string& out, const GaugeFamily& family);
  static void append(std::string& out, const HistogramFamily& family);

  struct Observed {
    std::string help;
    std::function<std::int64_t()> read;
  };
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<CounterFamily>, std::less<>>
      counters_;                                                             // guarded by mutex_
  std::map<std::string, std::unique_ptr<GaugeFamily>, std::less<>> gauges_;  // guarded by mutex_
  std::map<std::string, std::unique_ptr<HistogramFamily>, std::less<>>
      histograms_;                                         // guarded by mutex_
  std::map<std::string, Observed, std::less<>> observed_;  // guarded by mutex_
};

}  // namespace edge::metrics
