// SPDX-License-Identifier: MIT
#include "core/accounts/hash_pool.h"

#include <algorithm>
#include <utility>

namespace edge::accounts {
namespace {

constexpr std::size_t kMaxWaiting = 32;
constexpr auto kPatience = std::chrono::seconds(2);

}  // namespace

HashPool::HashPool(const Clock& clock, std::size_t threads)
    : clock_(clock), size_(std::max<std::size_t>(1, threads)), queue_(kMaxWaiting) {}

HashPool::~HashPool() {
  queue_.close();  // the threads end when the queue is empty
  threads_.clear();
}

Result<void> HashPool::submit(Job job) {
  std::call_once(started_, [this] {
    for (std::size_t i = 0; i < size_; ++i) {
      threads_.emplace_back([this] { run({}); });
    }
  });
  if (!queue_.try_push({std::move(job), clock_.steady()})) {
    return Failure(busy());
  }
  return {};
}

Error HashPool::busy() {
  return {ErrorCode::Unavailable, "too many logins at once", {}, {}, std::chrono::seconds(1)};
}

void HashPool::run(const std::stop_token& stop) {
  while (auto waiting = queue_.pop(stop)) {
    waiting->job(clock_.steady() - waiting->since <= kPatience);
  }
}

}  // namespace edge::accounts
