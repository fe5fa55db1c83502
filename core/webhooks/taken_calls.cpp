// SPDX-License-Identifier: MIT
#include "core/webhooks/taken_calls.h"

namespace edge::webhooks {

std::optional<std::string> TakenCalls::answer_to(std::string_view webhook,
                                                 std::string_view id,
                                                 SteadyTime now) {
  const std::lock_guard lock(mutex_);
  while (!order_.empty() && taken_.at(order_.front()).until <= now) {
    forget_first();
  }
  const auto found = taken_.find({std::string(webhook), std::string(id)});
  return found != taken_.end() && found->second.until > now ? std::optional(found->second.answer)
                                                            : std::nullopt;
}

void TakenCalls::note(std::string_view webhook,
                      std::string_view id,
                      std::string answer,
                      SteadyTime until) {
  const std::lock_guard lock(mutex_);
  Name name{std::string(webhook), std::string(id)};
  const auto [place, is_new] =
      taken_.try_emplace(name, Taken{.answer = std::move(answer), .until = until});
  if (!is_new) {
    return;
  }
  order_.push_back(std::move(name));
  if (order_.size() > kMost) {
    forget_first();
  }
}

void TakenCalls::forget_first() {
  taken_.erase(order_.front());
  order_.pop_front();
}

}  // namespace edge::webhooks
