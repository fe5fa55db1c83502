// SPDX-License-Identifier: MIT
#include "daemon/middleware.h"

#include <algorithm>

namespace edge {

void Chain::add(Stage stage, Step step) {
  const auto place = std::ranges::upper_bound(steps_, stage, {}, &Entry::stage);
  steps_.insert(place, {stage, std::move(step)});
  const auto body = std::ranges::lower_bound(steps_, Stage::Body, {}, &Entry::stage);
  first_body_step_ = static_cast<std::size_t>(body - steps_.begin());
}

void Chain::on_answer(Stage stage, AnswerHook hook) {
  // From the last stage to the first; hooks of one stage in the order they were added.
  const auto place = std::ranges::upper_bound(
      hooks_, stage, std::ranges::greater{}, [](const auto& entry) { return entry.first; });
  hooks_.insert(place, {stage, std::move(hook)});
}

void Chain::enter(http::Exchange exchange) const {
  Next(*this, 0)(std::move(exchange));
}

void Chain::enter_body(http::Exchange exchange) const {
  run(first_body_step_, std::move(exchange));
}

void Chain::run(std::size_t step, http::Exchange exchange) const {
  if (step == steps_.size()) {
    handle(std::move(exchange));
    return;
  }
  steps_[step].step(std::move(exchange), Next(*this, step + 1));
}

void Next::operator()(http::Exchange exchange) const {
  if (step_ == chain_.first_body_step_) {
    chain_.accept(std::move(exchange));
    return;
  }
  chain_.run(step_, std::move(exchange));
}

void Chain::answer(http::Request& request,
                   const http::Route* route,
                   http::Response& response) const {
  for (const auto& [stage, hook] : hooks_) {
    hook(request, route, response);
  }
}

}  // namespace edge
