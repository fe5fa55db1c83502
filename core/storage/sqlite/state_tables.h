// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/storage/batch.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/due_sizes.h"
#include "core/storage/storage.h"

namespace edge::storage::sqlite {

/// The rules of state batches on the tables of `edge.db`, inside a transaction of the caller. A
/// refusal (conflict, lost lease, no counter) is a value and has changed nothing; a fault is an
/// exception and the transaction must be rolled back. One thread only.
class StateTables {
 public:
  /// `sizes` is told what `committed` has changed; both are borrowed for life.
  StateTables(Database& database, DueSizes& sizes) : database_(database), sizes_(sizes) {}

  /// For changes that are no batch: facts of volumes, marks of the engine.
  Database& database() { return database_; }
  /// Begins a group at this store time.
  void begin(std::int64_t now);
  /// Writes the numbers that were given since `begin`, and what due queues hold now.
  void end();
  /// The transaction of this group is committed.
  void committed();

  Result<Receipt> apply(const Batch& batch);
  std::vector<Due> take(const Take& query);
  /// The position of the lane with its epoch raised.
  Position raise_epoch(const std::string& consumer, const std::string& stream, std::uint32_t lane);
  /// Removes at most `limit` entries of each space, and tokens, that have expired; true when there
  /// may be more.
  bool remove_expired(int limit);

 private:
  /// Numbers that are never given twice.
  struct Marks {
    std::uint64_t version = 0;
    std::uint64_t due = 0;
    std::uint64_t lease = 0;
    bool operator==(const Marks&) const = default;
  };

  std::optional<Error> refusal(const Batch& batch);
  std::optional<Error> apply_entries(const Batch& batch, Receipt& receipt);
  void apply_dues(const Batch& batch, Receipt& receipt);
  std::optional<Entry> living(const Key& key);
  std::uint64_t write(const Key& key, Entry entry);
  bool settle(const Settle& settle);
  void insert_due(const std::string& queue, const Due& due);

  Database& database_;
  DueSizes& sizes_;
  DueSizes::Changes changed_;  // since `begin`
  std::int64_t now_ = 0;
  Marks stored_;
  Marks marks_;
};

}  // namespace edge::storage::sqlite
