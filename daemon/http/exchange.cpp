// SPDX-License-Identifier: MIT
#include "daemon/http/exchange.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

#include "daemon/http/completions.h"

namespace edge::http {

Exchange::Exchange(ExchangeState* state) : state_(state) {
  state_->copies.fetch_add(1, std::memory_order_relaxed);
}

Exchange::Exchange(const Exchange& other) : state_(other.state_) {
  if (state_ != nullptr) {
    state_->copies.fetch_add(1, std::memory_order_relaxed);
  }
}

Exchange::~Exchange() {
  if (state_ == nullptr || state_->copies.fetch_sub(1, std::memory_order_acq_rel) != 1) {
    return;
  }
  if (is_answered()) {
    delete state_;  // NOLINT(cppcoreguidelines-owning-memory): copies are the owners, see
                    // ExchangeState
    return;
  }
  Exchange(state_).complete(Response(Problem{.status = 500, .code = "internal"}));
}

void Exchange::complete(Response response) const {
  if (state_->answered.exchange(true, std::memory_order_acq_rel)) {
    return;
  }
  state_->response = std::move(response);
  state_->completions->push(*this);
}

void Exchange::complete(Result<Response> result) const {
  complete(result ? *std::move(result) : Response(problem_of(result.error())));
}

void Exchange::fail(const Error& error) const {
  complete(Response(problem_of(error)));
}

void Exchange::fail(Problem problem) const {
  complete(Response(std::move(problem)));
}

Completions::Completions() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw std::runtime_error("no eventfd");
  }
}

Completions::~Completions() {
  ::close(descriptor_);
}

void Completions::push(Exchange exchange) {
  if (std::this_thread::get_id() == owner_) {
    local_.push_back(std::move(exchange));
    return;
  }
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return;
    }
    first = answered_.empty();
    answered_.push_back(std::move(exchange));
  }
  if (first) {
    wake();
  }
}

void Completions::take(std::vector<Exchange>& out) {
  const std::lock_guard lock(mutex_);
  out.swap(answered_);
}

void Completions::announce_stream(std::uint64_t connection) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return;
    }
    streams_.push_back(connection);
  }
  wake();
}

void Completions::take_streams(std::vector<std::uint64_t>& out) {
  const std::lock_guard lock(mutex_);
  out.swap(streams_);
}

void Completions::wake() const {
  const std::uint64_t one = 1;
  // A full counter is a wake-up that is still to be seen.
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor_, &one, sizeof one);
}

void Completions::close() {
  std::vector<Exchange> dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(answered_);
}

}  // namespace edge::http
