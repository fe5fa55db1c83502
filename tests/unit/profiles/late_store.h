// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/bounded_queue.h"
#include "core/storage/storage.h"

namespace edge::test {

/// Another store whose commits take a while: they are done one after the other on a thread of
/// their own, as an engine does them, and some are refused. Everything else is passed on.
class LateStore final : public storage::Store {
 public:
  /// Refuses every `refuse_every`-th commit; 0: none. Borrows `inner`.
  LateStore(storage::Store& inner, std::uint64_t refuse_every)
      : inner_(inner), refuse_every_(refuse_every), thread_([this](const std::stop_token& stop) {
          while (auto job = jobs_.pop(stop)) {
            (*job)();
          }
        }) {}

  /// Called before each `get`, on the thread of the caller.
  std::function<void(std::span<const storage::Key>)> before_get = {};
  /// Called before each commit, on the thread of the caller.
  std::function<void(const storage::Batch&)> before_commit = {};

  using Store::commit;
  using Store::get;
  void commit(storage::Batch batch, storage::Deadline deadline, storage::Done done) override {
    if (before_commit) {
      before_commit(batch);
    }
    const bool is_refused = refuse_every_ != 0 && ++commits_ % refuse_every_ == 0;
    jobs_.try_push([this, is_refused, deadline, batch = std::move(batch), done = std::move(done)] {
      std::this_thread::yield();
      done(is_refused ? Failure(Error{.code = ErrorCode::Unavailable, .message = "busy"})
                      : inner_.commit(batch, deadline));
    });
  }
  Result<std::vector<std::optional<storage::Entry>>> get(std::span<const storage::Key> keys,
                                                         storage::Deadline deadline) override {
    if (before_get) {
      before_get(keys);
    }
    return inner_.get(keys, deadline);
  }
  Result<storage::Page> scan(const storage::Scan& query, storage::Deadline deadline) override {
    return inner_.scan(query, deadline);
  }
  std::uint64_t head(const std::string& stream, std::uint32_t lane) override {
    return inner_.head(stream, lane);
  }
  Result<storage::Slice> read(const storage::Read& query, storage::Deadline deadline) override {
    return inner_.read(query, deadline);
  }
  Result<storage::Found> find(const storage::Find& query, storage::Deadline deadline) override {
    return inner_.find(query, deadline);
  }
  Result<std::vector<storage::Due>> take(const storage::Take& query,
                                         storage::Deadline deadline) override {
    return inner_.take(query, deadline);
  }
  Result<storage::DuePage> list(const storage::List& query, storage::Deadline deadline) override {
    return inner_.list(query, deadline);
  }
  Result<storage::DueLater> later(const std::string& queue, storage::Deadline deadline) override {
    return inner_.later(queue, deadline);
  }
  storage::DueSize size(const std::string& queue) override { return inner_.size(queue); }
  Result<storage::Position> position(const std::string& consumer,
                                     const std::string& stream,
                                     std::uint32_t lane,
                                     storage::Deadline deadline) override {
    return inner_.position(consumer, stream, lane, deadline);
  }
  Result<std::vector<storage::Owned>> own(const storage::Claim& claim,
                                          storage::Deadline deadline) override {
    return inner_.own(claim, deadline);
  }
  Result<std::uint64_t> erase(const storage::Subject& subject,
                              storage::Deadline deadline) override {
    return inner_.erase(subject, deadline);
  }
  Result<void> scrub(storage::Deadline deadline) override { return inner_.scrub(deadline); }
  Result<std::uint64_t> retain(const storage::Policy& policy, storage::Deadline deadline) override {
    return inner_.retain(policy, deadline);
  }
  storage::Health health() override { return inner_.health(); }

 private:
  storage::Store& inner_;
  const std::uint64_t refuse_every_;
  std::uint64_t commits_ = 0;  // of the one thread that commits
  BoundedQueue<std::function<void()>> jobs_{64};
  std::jthread thread_;
};

}  // namespace edge::test
