// SPDX-License-Identifier: MIT
#include "core/profiles/segments/standing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace edge::profiles {
namespace {

using json::Value;

constexpr std::size_t kInstantBytes = 12;
constexpr std::size_t kMomentBytes = 45;

std::size_t stored_bytes_of(const Counter& counter) {
  std::size_t bytes = 60 + counter.sum.size() * 20 + counter.instants.size() * kInstantBytes;
  for (const Moment& moment : counter.moments) {
    bytes += kMomentBytes + moment.value.size();
  }
  return bytes;
}

template <typename T>
void drop_older_half(std::vector<T>& list) {
  list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>((list.size() + 1) / 2));
}

std::int64_t integer(std::optional<Value> value) {
  return value ? value->as_int64().value_or(0) : 0;
}

Time next_time(std::optional<Value> value) {
  const std::int64_t ms = integer(value);
  return ms == 0 ? Time::max() : from_ms(ms);
}

}  // namespace

Time Standing::next_due() const {
  Time next = Time::max();
  for (const auto& [name, membership] : computed) {
    next = std::min(next, membership.next);
  }
  return next;
}

bool Standing::shrink() {
  std::size_t bytes = 0;
  bool was_cut = false;
  for (const auto& [key, counter] : counters) {
    bytes += stored_bytes_of(counter);
    was_cut = was_cut || counter.is_cut;
  }
  while (bytes > kMaxStandingBytes) {
    const auto largest = std::ranges::max_element(
        counters, {}, [](const auto& one) { return stored_bytes_of(one.second); });
    Counter& counter = largest->second;
    bytes -= stored_bytes_of(counter);
    if (counter.instants.empty() && counter.moments.empty()) {
      break;
    }
    drop_older_half(counter.instants);
    drop_older_half(counter.moments);
    counter.is_cut = true;
    was_cut = true;
    bytes += stored_bytes_of(counter);
  }
  return was_cut;
}

void write_stored(json::Writer& out, const Standing& standing) {
  const auto time_or_zero = [](Time at) { return at == Time::max() ? 0 : to_ms(at); };
  out.begin_object().member("clock", to_ms(standing.clock));
  if (!standing.counters.empty()) {
    out.key("counters").begin_object();
    for (const auto& [key, counter] : standing.counters) {
      write_stored(out.key(fmt::format("{}", key)), counter);
    }
    out.end_object();
  }
  if (!standing.computed.empty()) {
    out.key("in").begin_object();
    for (const auto& [name, one] : standing.computed) {
      out.key(name).begin_array().unsigned_integer(one.generation).boolean(one.is_member);
      out.integer(to_ms(one.since)).integer(time_or_zero(one.next)).end_array();
    }
    out.end_object();
  }
  if (!standing.manual.empty()) {
    out.key("manual").begin_object();
    for (const auto& [name, one] : standing.manual) {
      out.key(name).begin_array().string(one.source).integer(to_ms(one.since)).end_array();
    }
    out.end_object();
  }
  out.member("due", time_or_zero(standing.due)).member("changes", standing.change_count);
  out.end_object();
}

Standing read_stored_standing(Value stored) {
  Standing standing{.clock = from_ms(integer(stored.find("clock"))),
                    .due = next_time(stored.find("due")),
                    .change_count = static_cast<std::uint64_t>(integer(stored.find("changes")))};
  if (const auto counters = stored.find("counters")) {
    for (const auto [name, counter] : counters->members()) {
      std::uint64_t key = 0;
      std::from_chars(name.data(), name.data() + name.size(), key);
      standing.counters.emplace(key, read_stored_counter(counter));
    }
  }
  if (const auto computed = stored.find("in")) {
    for (const auto [name, one] : computed->members()) {
      const auto is_member = one.at(1);
      standing.computed.emplace(
          name,
          Membership{.generation = static_cast<std::uint64_t>(integer(one.at(0))),
                     .is_member = is_member && is_member->as_bool().value_or(false),
                     .since = from_ms(integer(one.at(2))),
                     .next = next_time(one.at(3))});
    }
  }
  if (const auto manual = stored.find("manual")) {
    for (const auto [name, one] : manual->members()) {
      const auto source = one.at(0);
      standing.manual.emplace(
          name,
          ManualMembership{.source = std::string(source ? source->as_string().value_or("") : ""),
                           .since = from_ms(integer(one.at(1)))});
    }
  }
  return standing;
}

std::size_t bytes_of(const Standing& standing) {
  constexpr std::size_t kNode = 100;
  std::size_t bytes = 0;
  for (const auto& [key, counter] : standing.counters) {
    bytes += kNode + bytes_of(counter);
  }
  return bytes + (standing.computed.size() + standing.manual.size()) * 2 * kNode;
}

}  // namespace edge::profiles
