// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/ratelimit/limit.h"
#include "core/ratelimit/table.h"
#include "core/storage/storage.h"

namespace edge::ratelimit {

/// The limits of the installation and what was counted. Thread-safe after `configure`.
///
/// Counts live in memory in shards; a check takes one short lock and no disk access. `save` writes
/// what changed into the store, `load` reads it back at the start. Keys are kept as keyed hashes,
/// so neither memory nor store shows addresses.
class Limiter {
 public:
  static constexpr std::size_t kMostKeys = 1'000'000;

  /// Borrows all three for life.
  Limiter(storage::Store& store,
          const Clock& clock,
          Random& random,
          std::size_t most_keys = kMostKeys);

  /// The limits in force; before anything else, once.
  void configure(std::vector<Limit> limits) { limits_ = std::move(limits); }
  [[nodiscard]] const std::vector<Limit>& limits() const { return limits_; }
  /// Failure: NotFound.
  [[nodiscard]] Result<const Limit*> find(std::string_view name) const;

  /// Counts `cost` for a key of `limit`; `cost` 0 only looks. A limit of 0 always allows.
  Verdict check(const Limit& limit, std::string_view key, std::uint64_t cost = 1);
  /// Forgets what was counted for a key; false when nothing was.
  bool reset(const Limit& limit, std::string_view key);
  /// How many keys are remembered.
  [[nodiscard]] std::size_t size() const;

  /// Reads what was saved. With `read_only` nothing is written. Failures: those of the store.
  Result<void> load(bool read_only);
  /// Writes up to `most` changes since the last time; true when more are waiting. Waits for the
  /// store. Failures: those of the store; the changes of that call are then not saved until their
  /// keys change again.
  Result<bool> save(std::size_t most = 10'000);

 private:
  static constexpr std::size_t kShards = 64;
  struct Shard {
    explicit Shard(std::size_t most) : table(most) {}
    mutable std::mutex mutex;
    Table table;  // guarded by mutex
  };

  [[nodiscard]] Table::Id id_of(const Limit& limit, std::string_view key) const;
  [[nodiscard]] Shard& shard_of(const Table::Id& id) const { return *shards_[id.high % kShards]; }
  Result<void> load_hash_key(bool read_only);

  storage::Store& store_;
  const Clock& clock_;
  crypto::HashKey hash_key_{};  // set by `load`, before the first check
  std::vector<Limit> limits_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace edge::ratelimit
