// SPDX-License-Identifier: MIT
#include "core/accounts/throttle.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/transport/address.h"

namespace edge::accounts {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMaxCounters = 100'000;
constexpr std::int64_t kFreeFailures = 5;
constexpr seconds kLongestWait{900};
constexpr seconds kForgottenAfter{24 * 3600};
constexpr seconds kClientWindow{15 * 60};
constexpr auto kPatience = std::chrono::seconds(5);

/// The counter of an action, the limit it has and the length of its window.
struct Limit {
  const char* name;
  std::int64_t ThrottleLimits::*count;
  seconds window;
};
constexpr std::array<Limit, 3> kLimits = {
    {{"register/", &ThrottleLimits::registrations, seconds(3600)},
     {"refresh/", &ThrottleLimits::refreshes, seconds(60)},
     {"password/", &ThrottleLimits::password_changes, seconds(3600)}}};

std::string address_counter(std::string_view email) {
  return "a/" + std::string(email);
}
std::string client_counter(std::string_view client) {
  return "c/" + client_name(client);
}

seconds wait_after(std::int64_t failures) {
  const std::int64_t counted = failures - kFreeFailures;
  return counted <= 0
             ? seconds(0)
             : std::min(kLongestWait, seconds(1LL << std::min<std::int64_t>(counted - 1, 10)));
}

Error too_many(std::chrono::milliseconds left) {
  return {ErrorCode::RateLimited,
          "too many attempts, wait a while",
          {},
          {},
          std::max(seconds(1), std::chrono::ceil<seconds>(left))};
}

}  // namespace

std::string client_name(std::string_view address) {
  auto parsed = transport::parse_ip(address);
  if (!parsed || !parsed->is_v6) {
    return std::string(address);
  }
  std::fill(parsed->octets.begin() + 8, parsed->octets.end(), std::uint8_t{0});
  return transport::to_text(*parsed) + "/64";
}

Throttle::Throttle(storage::Store& store, const Clock& clock, ThrottleLimits limits)
    : store_(store), clock_(clock), limits_(limits) {}

Result<void> Throttle::load() {
  auto scan = storage::Scan::prefix("login_failure", "", "");
  while (true) {
    const auto page = store_.scan(scan, storage::Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    const std::lock_guard lock(mutex_);
    for (const auto& item : page->items) {  // value: "COUNT MS"
      const std::string& value = item.entry.value;
      std::int64_t count = 0;
      std::int64_t at = 0;
      const char* end = value.data() + value.size();
      const auto first = std::from_chars(value.data(), end, count);
      if (first.ec == std::errc{} && first.ptr < end &&
          std::from_chars(first.ptr + 1, end, at).ec == std::errc{}) {
        Counter& counter = touch(item.key);
        counter.count = count;
        counter.at = from_ms(at);
      }
    }
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

Result<void> Throttle::check_login(std::string_view email, std::string_view client) {
  const std::lock_guard lock(mutex_);
  if (const Counter* counter = find(address_counter(email))) {
    const auto left = counter->at + wait_after(counter->count) - clock_.now();
    if (left.count() > 0) {
      return Failure(too_many(left));
    }
  }
  return check_window(client_counter(client), limits_.client_failures, kClientWindow);
}

void Throttle::login_failed(std::string_view email, std::string_view client) {
  const std::lock_guard lock(mutex_);
  Counter& counter = touch(address_counter(email));
  if (clock_.now() - counter.at > kForgottenAfter) {
    counter.count = 0;
  }
  ++counter.count;
  counter.at = clock_.now();
  keep(counter);
  const std::string name = client_counter(client);
  count_in_window(name, kClientWindow);
  keep(*find(name));
}

void Throttle::login_succeeded(std::string_view email) {
  const std::lock_guard lock(mutex_);
  drop(address_counter(email));
}

Result<void> Throttle::count(Action action, std::string_view client) {
  const Limit& limit = kLimits.at(static_cast<std::size_t>(action));
  const std::string name = limit.name + client_name(client);
  const std::lock_guard lock(mutex_);
  if (auto open = check_window(name, limits_.*limit.count, limit.window); !open) {
    return open;
  }
  count_in_window(name, limit.window);
  return {};
}

Throttle::Counter* Throttle::find(const std::string& name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &*found->second;
}

Throttle::Counter& Throttle::touch(const std::string& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    counters_.splice(counters_.end(), counters_, found->second);
    return *found->second;
  }
  if (counters_.size() >= kMaxCounters) {
    drop(std::string(counters_.front().name));
  }
  counters_.push_back({.name = name, .at = clock_.now()});
  by_name_[name] = std::prev(counters_.end());
  return counters_.back();
}

Result<void> Throttle::check_window(const std::string& name, std::int64_t limit, seconds length) {
  const Counter* counter = find(name);
  const auto left =
      counter == nullptr ? std::chrono::milliseconds(0) : counter->at + length - clock_.now();
  if (counter != nullptr && counter->count >= limit && left.count() > 0) {
    return Failure(too_many(left));
  }
  return {};
}

std::int64_t Throttle::count_in_window(const std::string& name, seconds length) {
  Counter& counter = touch(name);
  if (counter.at + length <= clock_.now()) {
    counter.count = 0;
    counter.at = clock_.now();
  }
  return ++counter.count;
}

void Throttle::drop(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    return;
  }
  counters_.erase(found->second);
  by_name_.erase(found);
  storage::Batch batch;
  batch.dels.push_back({{"login_failure", "", name}});
  // Best effort: a counter that outlives a restart only makes somebody wait.
  store_.commit(std::move(batch), storage::Deadline::in(kPatience), [](const auto& /*outcome*/) {});
}

void Throttle::keep(const Counter& counter) {
  storage::Batch batch;
  batch.puts.push_back({{"login_failure", "", counter.name},
                        std::to_string(counter.count) + " " + std::to_string(to_ms(counter.at)),
                        to_ms(clock_.store_now() + kForgottenAfter)});
  // Best effort: the counter in memory holds, only a restart right now would forget this failure.
  store_.commit(std::move(batch), storage::Deadline::in(kPatience), [](const auto& /*outcome*/) {});
}

}  // namespace edge::accounts
