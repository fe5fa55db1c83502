// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/storage/storage.h"

namespace edge::test {

/// The storage port in memory: the model that engines are compared with, and the store of other
/// tests. Every commit is done before `commit` returns; a callback runs on the caller's thread.
/// Thread-safe.
class MemoryStore final : public storage::Store {
 public:
  explicit MemoryStore(const Clock& clock) : clock_(clock) {}

  using Store::commit;
  using Store::get;
  void commit(storage::Batch batch, storage::Deadline deadline, storage::Done done) override;
  Result<std::vector<std::optional<storage::Entry>>> get(std::span<const storage::Key> keys,
                                                         storage::Deadline deadline) override;
  Result<storage::Page> scan(const storage::Scan& query, storage::Deadline deadline) override;
  [[nodiscard]] std::uint64_t head(const std::string& stream, std::uint32_t lane) override;
  Result<storage::Slice> read(const storage::Read& query, storage::Deadline deadline) override;
  Result<storage::Found> find(const storage::Find& query, storage::Deadline deadline) override;
  Result<std::vector<storage::Due>> take(const storage::Take& query,
                                         storage::Deadline deadline) override;
  Result<storage::DuePage> list(const storage::List& query, storage::Deadline deadline) override;
  [[nodiscard]] storage::DueSize size(const std::string& queue) override;
  Result<storage::DueLater> later(const std::string& queue, storage::Deadline deadline) override;
  Result<storage::Position> position(const std::string& consumer,
                                     const std::string& stream,
                                     std::uint32_t lane,
                                     storage::Deadline deadline) override;
  Result<std::vector<storage::Owned>> own(const storage::Claim& claim,
                                          storage::Deadline deadline) override;
  Result<std::uint64_t> erase(const storage::Subject& subject, storage::Deadline deadline) override;
  Result<void> scrub(storage::Deadline /*deadline*/) override { return {}; }
  Result<std::uint64_t> retain(const storage::Policy& policy, storage::Deadline deadline) override;
  storage::Health health() override { return {}; }

  /// All commits fail with this error until it is taken back with nothing: a full or failed engine.
  void refuse_commits(std::optional<Error> error);

 private:
  using LaneName = std::pair<std::string, std::uint32_t>;
  using ConsumerLane = std::tuple<std::string, std::string, std::uint32_t>;
  struct Holder {
    std::string member;
    SteadyTime until;
  };
  struct Applied {
    std::int64_t at = 0;
    storage::Receipt receipt;
  };

  // All below with mutex_ held.
  Result<storage::Receipt> apply(storage::Batch& batch);
  std::optional<Error> refusal(const storage::Batch& batch) const;
  void append(storage::Append& append, std::uint32_t& counted, storage::Receipt& receipt);
  void apply_state(storage::Batch& batch, storage::Receipt& receipt);
  void settle(const storage::Settle& settle, std::uint32_t index, storage::Receipt& receipt);
  const storage::Entry* living(const storage::Key& key) const;
  std::vector<storage::Due> take_now(const storage::Take& query);
  [[nodiscard]] std::int64_t store_ms() const { return to_ms(clock_.store_now()); }

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Error> refused_;  // this and all below guarded by mutex_
  std::map<storage::Key, storage::Entry> entries_;
  std::map<LaneName, std::vector<storage::RecordPointer>> log_;
  std::map<LaneName, std::uint64_t> heads_;
  std::map<std::uint64_t, std::int64_t> committed_;  // offset → when, store time
  std::map<std::pair<std::string, std::string>, std::int64_t>
      seen_;  // (source, id) → when appended
  std::map<std::string, std::map<std::pair<std::int64_t, std::uint64_t>, storage::Due>> dues_;
  std::map<ConsumerLane, storage::Position> positions_;
  std::map<std::pair<std::string, std::string>, Holder> holders_;
  std::map<storage::Token, Applied> tokens_;
  std::uint64_t commits_ = 0;
  std::uint64_t version_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t due_number_ = 0;
  std::uint64_t lease_ = 0;
};

}  // namespace edge::test
