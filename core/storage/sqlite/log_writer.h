// SPDX-License-Identifier: MIT
// The only writer of the log. Its thread takes all batches that wait (at most 4,096 records or 4
// MiB), leaves out the ids that were seen, gives numbers, inserts 64 rows at a time, commits once,
// and only then answers all of them. No delay is added: while one group is being flushed the next
// one gathers.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "core/storage/sqlite/ground.h"
#include "core/storage/sqlite/group_queue.h"
#include "core/storage/sqlite/id_index.h"
#include "core/storage/sqlite/id_set.h"
#include "core/storage/sqlite/recent.h"
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/volume_set.h"

namespace edge::storage::sqlite {

/// `submit` and the figures are thread-safe. The destructor commits what was accepted.
class LogWriter {
 public:
  struct Start {
    IdKey key = {};            ///< of the id hashes
    std::uint64_t next = 1;    ///< first offset to give
    std::int64_t created = 0;  ///< of the newest volume, store time
  };
  /// `closed` is called on the writer's thread with each volume that can be sealed.
  LogWriter(Ground& ground,
            VolumeSet& volumes,
            Recent& recent,
            Start start,
            std::function<void(std::shared_ptr<Volume>)> closed);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  LogWriter(LogWriter&&) = delete;
  LogWriter& operator=(LogWriter&&) = delete;
  ~LogWriter();

  /// A log batch without violations.
  void submit(Batch batch, Deadline deadline, Done done);

  /// Begins a new volume, so that everything acknowledged before is in one that is closed (and
  /// given to `closed`). Nothing happens when the present one is empty. Waits; not on the writer's
  /// thread.
  Result<void> roll(Deadline deadline);

  /// What the search for duplicates keeps of a record's source and id. Thread-safe.
  [[nodiscard]] IdHash hash_of(std::string_view source, std::string_view id) const {
    return hash_id(key_, source, id);
  }

  [[nodiscard]] std::size_t waiting() const { return queue_.waiting(); }
  [[nodiscard]] std::size_t limit() const { return queue_.limit(); }

 private:
  struct Job {
    Batch batch;
    Deadline deadline;
    Done done;
    Load load;
    bool rolls = false;  ///< asks for a new volume
  };
  using Outcomes = std::vector<Result<Receipt>>;

  void run(const std::stop_token& stop);
  void process(std::vector<Job> group);
  Outcomes append(std::vector<Job>& group);
  Result<Receipt> place(Job& job);
  void place(Append& append, std::uint32_t& counted, Receipt& receipt);
  bool is_duplicate(const NewRecord& record);
  bool has_seen(Volume& volume, const IdHash& hash) const;
  std::optional<Receipt> known_receipt(const Token& token);
  void insert_rows();
  void insert(const std::string& sql, std::size_t first, std::size_t count);
  void write_marks();
  void forget_group();
  void commit();
  void roll_if_due();
  void roll_now();
  void open_active();
  void refresh_older();
  void index(Volume& volume);

  Ground& ground_;
  VolumeSet& volumes_;
  Recent& recent_;
  const IdKey key_;
  const std::function<void(std::shared_ptr<Volume>)> closed_;

  // Below: of the writer's thread.
  std::shared_ptr<Volume> active_;
  VolumeSet::Volumes older_;     // those that can hold ids of the dedupe window
  VolumeSet::Volumes unsealed_;  // those of them that are not sealed yet
  IdIndex index_;                // of the others
  std::uint64_t older_generation_ = 0;
  IdSet ids_;              // of the active volume
  std::string fresh_ids_;  // packed: those of the present group
  std::unique_ptr<Database> database_;
  std::unique_ptr<FlushRule> flush_;
  std::uint64_t next_;
  std::uint64_t committed_next_;
  std::int64_t created_;
  bool has_content_ = false;
  std::int64_t now_ = 0;                // store time of the present group
  std::vector<Recent::Appended> rows_;  // of the present group

  GroupQueue<Job> queue_;
  std::jthread thread_;
};

}  // namespace edge::storage::sqlite
