// SPDX-License-Identifier: MIT
// GCRA (the leaky bucket as a meter, ITU-T I.371): one time per key says when the bucket will have
// run empty. All times are scaled by the limit, so that the interval period/limit needs no
// rounding; products are 128 bits wide. The time itself is kept as whole microseconds and a
// fraction with the limit as denominator, because the scaled time of a large limit does not fit 64
// bits.
#include "core/ratelimit/count.h"

#include <algorithm>

#include "core/base/random.h"

namespace edge::ratelimit {
namespace {

constexpr std::uint64_t kMicros = 1'000'000;

Wide divide_up(Wide value, Wide by) {
  return (value + by - 1) / by;
}

std::uint64_t micros_of(Time now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(now), 0)) * 1000;
}

std::uint64_t period_of(const Quota& quota) {
  return static_cast<std::uint64_t>(quota.period.count()) * kMicros;
}

/// The arrival time scaled by `limit`. A fraction of another limit's (shared counters) rounds up.
Wide scaled(const Count& state, std::uint64_t limit) {
  const Wide part =
      state.per == limit ? Wide{state.part} : divide_up(Wide{state.part} * limit, state.per);
  return static_cast<Wide>(state.at_us) * limit + part;
}

Verdict count_gcra(Count& state, const Quota& quota, std::uint64_t cost, Time now) {
  const std::uint64_t period = period_of(quota);
  const Wide limit = quota.limit;
  const Wide present = micros_of(now) * limit;
  const Wide before = std::max(scaled(state, quota.limit), present);
  const Wide after = before + Wide{cost} * period;
  const Wide room = Wide{quota.at_once()} * period;
  const bool allowed = after - present <= room;
  const Wide arrival = allowed ? after : before;
  const Wide used = arrival - present;
  Verdict verdict{
      .allowed = allowed,
      .remaining = used >= room ? 0 : static_cast<std::uint64_t>((room - used) / period),
      .reset_s = static_cast<std::int64_t>(divide_up(used, limit * kMicros))};
  if (allowed) {
    state = {.at_us = static_cast<std::int64_t>(arrival / limit),
             .part = static_cast<std::uint32_t>(arrival % limit),
             .per = static_cast<std::uint32_t>(quota.limit)};
  } else if (cost <= quota.at_once()) {
    verdict.retry_after_s =
        static_cast<std::int64_t>(divide_up(after - room - present, limit * kMicros));
  }
  return verdict;
}

Verdict count_fixed(Count& state, const Quota& quota, std::uint64_t cost, Time now) {
  const std::uint64_t period = period_of(quota);
  const std::uint64_t present = micros_of(now);
  const auto window = static_cast<std::int64_t>(present - present % period);
  Count next = window > state.at_us ? Count{.at_us = window} : state;
  const bool allowed = cost <= quota.limit && next.part <= quota.limit - cost;
  next.part += allowed ? static_cast<std::uint32_t>(cost) : 0;
  const std::uint64_t end = static_cast<std::uint64_t>(next.at_us) + period;
  const auto left = static_cast<std::int64_t>((end - present + kMicros - 1) / kMicros);
  Verdict verdict{.allowed = allowed,
                  .remaining = next.part >= quota.limit ? 0 : quota.limit - next.part,
                  .reset_s = left};
  if (allowed) {
    state = next;
  } else if (cost <= quota.limit) {
    verdict.retry_after_s = left;
  }
  return verdict;
}

}  // namespace

Verdict count(Count& state, const Quota& quota, std::uint64_t cost, Time now) {
  return quota.algorithm == Algorithm::Gcra ? count_gcra(state, quota, cost, now)
                                            : count_fixed(state, quota, cost, now);
}

Time idle_from(const Count& state, const Quota& quota) {
  const std::uint64_t end =
      static_cast<std::uint64_t>(state.at_us) +
      (quota.algorithm == Algorithm::Gcra ? (state.part > 0 ? 1 : 0) : period_of(quota));
  return from_ms(static_cast<std::int64_t>((end + 999) / 1000));
}

}  // namespace edge::ratelimit
