// SPDX-License-Identifier: MIT
#include "core/pixels/counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/events/event.h"
#include "core/pixels/tally.h"

namespace edge::pixels {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::array<std::string_view, 8> kNames{
    "total", "human", "machine", "unique", "unique_human", "late", "unauthenticated", "repeats"};

/// The first two parts of a key and what follows them.
std::array<std::string, 3> split(const std::string& key) {
  const std::size_t first = std::min(key.find('\0'), key.size());
  const std::size_t second = std::min(key.find('\0', first + 1), key.size());
  return {key.substr(0, first),
          first < key.size() ? key.substr(first + 1, second - first - 1) : std::string(),
          second < key.size() ? key.substr(second + 1) : std::string()};
}

std::int64_t number_in(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::int64_t metric(const Metrics& metrics, std::string_view prefix, std::string_view name) {
  const auto found = metrics.find(fmt::format("{}.{}", prefix, name));
  return found == metrics.end() ? 0 : found->second;
}

}  // namespace

void write_counts(json::Writer& out, const Metrics& metrics) {
  for (const std::string_view name : kNames) {
    out.member(name, metric(metrics, "opens", name));
  }
  out.key("clicks").begin_object();
  for (const std::string_view name : kNames) {
    if (name != "late") {
      out.member(name, metric(metrics, "clicks", name));
    }
  }
  out.end_object();
  const auto unsubscribed = metrics.find("unsubscribed");
  out.member("unsubscribed", unsubscribed == metrics.end() ? 0 : unsubscribed->second);
}

template <typename Use>
Result<void> Counts::each(storage::Scan scan, const Use& use) const {
  while (true) {
    const auto page = store_.scan(scan, storage::Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    for (const auto& item : page->items) {
      if (!use(split(item.key), number_in(item.entry.value))) {
        return {};
      }
    }
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

Result<std::vector<Counts::Mail>> Counts::mails_of(const std::string& campaign) const {
  std::vector<Mail> mails;
  auto done = each(storage::Scan::prefix(kTallySpace, kTotalPart, campaign + '\0'),
                   [&](const std::array<std::string, 3>& key, std::int64_t value) {
                     if (mails.empty() || mails.back().email != key[1]) {
                       mails.push_back({.campaign = key[0], .email = key[1]});
                     }
                     mails.back().metrics[key[2]] += value;
                     return true;
                   });
  return done ? Result<std::vector<Mail>>(std::move(mails)) : Failure(done.error());
}

Result<Counts::Campaigns> Counts::campaigns(const std::string& after, std::size_t limit) const {
  Campaigns found;
  // Campaigns have no control characters: \x01 lies behind all keys of `after`. Without one, the
  // keys of what has no campaign are passed over.
  storage::Scan scan{.space = kTallySpace, .part = kTotalPart, .from = after + '\x01'};
  auto done = each(scan, [&](const std::array<std::string, 3>& key, std::int64_t value) {
    if (found.items.empty() || found.items.back().campaign != key[0]) {
      if (found.items.size() == limit) {
        found.next = found.items.back().campaign;
        return false;
      }
      found.items.push_back({.campaign = key[0]});
    }
    found.items.back().metrics[key[2]] += value;
    return true;
  });
  return done ? Result<Campaigns>(std::move(found)) : Failure(done.error());
}

Result<Metrics> Counts::rejected() const {
  constexpr std::string_view kPrefix = "rejected.";
  Metrics rejected;
  const std::string none(2, '\0');
  auto done = each(storage::Scan::prefix(kTallySpace, kTotalPart, none + std::string(kPrefix)),
                   [&](const std::array<std::string, 3>& key, std::int64_t value) {
                     rejected[key[2].substr(kPrefix.size())] += value;
                     return true;
                   });
  return done ? Result<Metrics>(std::move(rejected)) : Failure(done.error());
}

Result<std::vector<Counts::Row>> Counts::report(Time since, By by) const {
  std::map<std::string, Metrics> rows;
  const std::int64_t first = std::max<std::int64_t>(to_ms(since), 0) / kHourMs;
  auto done = each(
      {.space = kTallySpace, .part = kHourPart, .from = fmt::format("{:08}", first)},
      [&](const std::array<std::string, 3>& key, std::int64_t value) {
        const std::string name =
            by == By::Campaign ? key[1] : events::format_time(from_ms(number_in(key[0]) * kHourMs));
        rows[name][key[2]] += value;
        return true;
      });
  if (!done) {
    return Failure(done.error());
  }
  std::vector<Row> list;
  for (auto& [name, metrics] : rows) {
    list.push_back({name, std::move(metrics)});
  }
  return list;
}

}  // namespace edge::pixels
