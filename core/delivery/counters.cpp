// SPDX-License-Identifier: MIT
#include "core/delivery/counters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace edge::delivery {
namespace {

constexpr const char* kSpace = "delivery";

const char* name_of(Count count) {
  static constexpr std::array kNames{"delivered", "dead", "attempts", "parked", "retried"};
  return kNames.at(static_cast<std::size_t>(count));
}

/// When the step that a moment lies in begins, in ms.
std::int64_t step_of(Time time) {
  const std::int64_t step = std::chrono::milliseconds(kCountStep).count();
  return std::max<std::int64_t>(to_ms(time), 0) / step * step;
}

std::string step_prefix(Time time) {
  return fmt::format("since/{:013}/", step_of(time));
}

std::int64_t* member_of(Happened& happened, std::string_view name) {
  return name == name_of(Count::Delivered)  ? &happened.delivered
         : name == name_of(Count::Dead)     ? &happened.dead
         : name == name_of(Count::Attempts) ? &happened.attempts
         : name == name_of(Count::Retried)  ? &happened.retried
                                            : nullptr;
}

}  // namespace

storage::Key counter_key(std::string_view destination, Count count) {
  return {kSpace, std::string(destination), name_of(count)};
}

void add_count(
    storage::Batch& batch, std::string_view destination, Count count, std::int64_t by, Time now) {
  batch.adds.push_back({counter_key(destination, count), by});
  if (count != Count::Parked) {
    const std::chrono::milliseconds kept = kCountStep + kCountsKept;
    batch.adds.push_back({{kSpace, std::string(destination), step_prefix(now) + name_of(count)},
                          by,
                          step_of(now) + kept.count()});
  }
}

Result<Happened> happened_since(storage::Store& store, std::string_view destination, Time since) {
  Happened happened;
  storage::Scan scan{.space = kSpace,
                     .part = std::string(destination),
                     .from = step_prefix(since),
                     .to = "since0"};  // behind all that begin with since/
  for (;;) {
    const auto page = store.scan(scan, storage::Deadline::in(std::chrono::seconds(5)));
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      const std::string_view key = item.key;
      if (std::int64_t* const number = member_of(happened, key.substr(key.rfind('/') + 1))) {
        *number += std::atoll(item.entry.value.c_str());
      }
    }
    if (!page->next) {
      return happened;
    }
    scan.resume(*page->next);
  }
}

}  // namespace edge::delivery
