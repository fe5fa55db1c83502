// SPDX-License-Identifier: MIT
// When a destination may be sent to. A destination that fails five times in a row is held: one
// probe per back-off step instead of every event burning its attempts; the first good answer
// opens it again. Retry-After, refused credentials and a rate limit close it for a time as well.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/delivery/retry.h"
#include "core/destinations/definition.h"
#include "core/destinations/verdict.h"

namespace edge::delivery {

/// One thread only; times are monotonic.
class Gate {
 public:
  using Effect = destinations::Effect;
  enum class State : std::uint8_t { Open, Held, Refused };

  struct Lesson {
    Effect effect = Effect::None;
    std::optional<std::chrono::milliseconds> retry_after = {};
    bool was_probe = false;  ///< the gate was closed when the request began
  };

  /// Learns from an answer. True when it opened the gate again.
  bool learn(const Lesson& lesson,
             const destinations::RetryPolicy& policy,
             Random& random,
             SteadyTime now) {
    if (lesson.retry_after) {
      not_before_ = std::max(not_before_, now + *lesson.retry_after);
    }
    if (lesson.effect == Effect::Pause) {
      refused_ = true;
      probe_at_ = now + policy.probe;
      return false;
    }
    if (lesson.effect == Effect::Failing) {
      if (state() != State::Open && !lesson.was_probe) {
        return false;  // it began before the gate closed: nothing new
      }
      ++failures_;
      if (refused_) {
        probe_at_ = now + policy.probe;
      } else if (failures_ >= kFailuresToHold) {
        const auto step = failures_ - kFailuresToHold + 1;
        probe_at_ = now + next_delay(step, policy.base, policy.cap, random);
      }
      return false;
    }
    const bool was_closed = state() != State::Open;
    failures_ = 0;
    refused_ = false;
    return was_closed;
  }

  /// The settings changed: nothing that was learned counts.
  void reset() { *this = {}; }
  /// Starts closed for `left`, as it was before a restart.
  void resume_hold(SteadyTime until) { not_before_ = until; }

  void sent(double rate, SteadyTime now) {
    if (rate > 0) {
      const auto gap =
          std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(1 / rate));
      next_slot_ = std::max(next_slot_, now) + gap;
    }
  }

  [[nodiscard]] State state() const {
    return refused_ ? State::Refused : failures_ >= kFailuresToHold ? State::Held : State::Open;
  }
  /// The earliest time of the next request; in any state but Open it is a probe.
  [[nodiscard]] SteadyTime opens_at() const {
    const SteadyTime slot = std::max(not_before_, next_slot_);
    return state() == State::Open ? slot : std::max(slot, probe_at_);
  }
  [[nodiscard]] SteadyTime not_before() const { return not_before_; }

 private:
  static constexpr std::uint32_t kFailuresToHold = 5;

  std::uint32_t failures_ = 0;
  bool refused_ = false;
  SteadyTime probe_at_{};
  SteadyTime not_before_{};
  SteadyTime next_slot_{};
};

}  // namespace edge::delivery
