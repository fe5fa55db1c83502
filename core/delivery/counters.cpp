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

Time step_of(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time) -
         std::chrono::milliseconds(to_ms(time) % std::chrono::milliseconds(kCountStep).count());
}

std::string step_prefix(Time time) {
  return fmt::format("since/{:013}/", std::max<std::int64_t>(to_ms(step_of(time)), 0));
}

void add(storage::Batch& batch, storage::Key key, std::int64_t by, std::int64_t expires) {
  const auto found = std::ranges::find(batch.adds, key, &storage::Add::key);
  if (found == batch.adds.end()) {
    batch.adds.push_back({std::move(key), by, expires});
  } else {
    found->by += by;
  }
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
  add(batch, counter_key(destination, count), by, 0);
  if (count != Count::Parked) {
    add(batch,
        {kSpace, std::string(destination), step_prefix(now) + name_of(count)},
        by,
        to_ms(step_of(now) + kCountStep + kCountsKept));
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
