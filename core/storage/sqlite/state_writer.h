// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <thread>

#include "core/storage/sqlite/ground.h"
#include "core/storage/sqlite/group_queue.h"
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/state_tables.h"

namespace edge::storage::sqlite {

/// A change of `edge.db`. `apply` runs inside the group's transaction, and once more alone when the
/// group failed; `finish` runs once, after the commit or with the error.
struct StateJob {
  Deadline deadline;
  Load load;
  std::function<void(StateTables&)> apply;
  std::function<void(const Error*)> finish;
  /// Instead of `apply`: runs outside of any transaction, with nobody else writing.
  std::function<void(Database&)> alone = {};
  bool derived = false;  ///< as in `Batch`
};

/// The only writer of `edge.db`, with group commit as the log writer. `submit` and the figures are
/// thread-safe. The destructor commits what was accepted.
class StateWriter {
 public:
  /// Borrows `sizes` for life.
  StateWriter(Ground& ground, std::unique_ptr<Database> database, DueSizes& sizes);
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;
  StateWriter(StateWriter&&) = delete;
  StateWriter& operator=(StateWriter&&) = delete;
  ~StateWriter();

  void submit(StateJob job);
  /// A state batch without violations.
  void submit(Batch batch, Deadline deadline, Done done);
  /// Runs `change` and waits for its commit.
  Result<void> run(Deadline deadline, std::function<void(StateTables&)> change);

  /// Runs `work` between two transactions and waits for it.
  Result<void> run_alone(Deadline deadline, std::function<void(Database&)> work);

  /// True when something derived was committed since the last call. Whoever asks flushes the
  /// write-ahead log, beside the writer, which need not wait for it.
  bool take_unflushed() { return unflushed_.exchange(false); }

  /// Length of the write-ahead log: what was written since it began anew.
  [[nodiscard]] std::uint64_t wal_pages() const { return wal_pages_; }

  [[nodiscard]] std::size_t waiting() const { return queue_.waiting(); }
  [[nodiscard]] std::size_t limit() const { return queue_.limit(); }

 private:
  void loop(const std::stop_token& stop);
  void process(std::vector<StateJob> group);
  Result<void> wait_for(StateJob job);
  void apply_and_finish(std::vector<StateJob>& timely);
  void run_alone(const StateJob& job);
  std::optional<Error> try_group(std::span<StateJob> group);
  void write(std::span<StateJob> group);

  Ground& ground_;
  std::atomic<std::uint64_t> wal_pages_{0};
  std::atomic<bool> unflushed_ = false;
  const std::unique_ptr<Database> database_;
  StateTables tables_;
  FlushRule flush_;
  GroupQueue<StateJob> queue_;
  std::jthread thread_;
};

}  // namespace edge::storage::sqlite
