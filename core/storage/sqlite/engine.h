// SPDX-License-Identifier: MIT
// The embedded engine: `edge.db` for state, `events/N.ev` for the log, one writer thread for each,
// and everything read by connections of their own. This class only puts the parts together; what
// each does is in its file.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "core/storage/sqlite/ground.h"
#include "core/storage/sqlite/housekeeper.h"
#include "core/storage/sqlite/log_writer.h"
#include "core/storage/sqlite/recent.h"
#include "core/storage/sqlite/state_reads.h"
#include "core/storage/sqlite/state_writer.h"
#include "core/storage/sqlite/volume_set.h"

namespace edge::storage::sqlite {

/// The store of a data directory, for the one process that holds its lock. Thread-safe.
class Engine final : public Store {
 public:
  /// Throws `DatabaseFault`; see `storage::open`.
  Engine(const std::filesystem::path& directory,
         const Options& options,
         const Clock& clock,
         Random& random);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) = delete;
  Engine& operator=(Engine&&) = delete;
  ~Engine() override;

  using Store::commit;
  using Store::get;
  void commit(Batch batch, Deadline deadline, Done done) override;
  Result<std::vector<std::optional<Entry>>> get(std::span<const Key> keys,
                                                Deadline deadline) override;
  Result<Page> scan(const Scan& query, Deadline deadline) override;
  [[nodiscard]] std::uint64_t head(const std::string& stream, std::uint32_t lane) override;
  Result<Slice> read(const Read& query, Deadline deadline) override;
  Result<Found> find(const Find& query, Deadline deadline) override;
  Result<std::vector<Due>> take(const Take& query, Deadline deadline) override;
  Result<DuePage> list(const List& query, Deadline deadline) override;
  [[nodiscard]] DueSize size(const std::string& queue) override { return sizes_.of(queue); }
  Result<DueLater> later(const std::string& queue, Deadline deadline) override;
  Result<Position> position(const std::string& consumer,
                            const std::string& stream,
                            std::uint32_t lane,
                            Deadline deadline) override;
  Result<std::vector<Owned>> own(const Claim& claim, Deadline deadline) override;
  Result<std::uint64_t> erase(const Subject& subject, Deadline deadline) override;
  Result<void> scrub(Deadline deadline) override;
  Result<std::uint64_t> retain(const Policy& policy, Deadline deadline) override;
  Health health() override;

 private:
  struct Holder {
    std::string member;
    SteadyTime until;
  };

  std::unique_ptr<Database> open_state(bool& was_clean) const;
  VolumeSet::Volumes open_volumes(Database& state, bool was_clean);
  LogWriter::Start open_log(Database& state, Random& random);
  void announce_dues();
  std::uint64_t replace(const Volume& volume,
                        std::span<const std::uint64_t> offsets,
                        std::span<const IdHash> forgotten);

  const DirectoryLock lock_;
  Ground ground_;
  VolumeSet volumes_;
  StateReads reads_;
  DueSizes sizes_;
  std::unique_ptr<Recent> recent_;
  std::unique_ptr<StateWriter> state_;
  std::unique_ptr<Housekeeper> housekeeper_;
  std::unique_ptr<LogWriter> log_;

  std::mutex dues_mutex_;
  std::condition_variable_any dues_changed_;
  std::uint64_t dues_generation_ = 0;  // guarded by dues_mutex_

  std::mutex holders_mutex_;
  std::map<std::pair<std::string, std::string>, Holder> holders_;  // guarded by holders_mutex_
};

}  // namespace edge::storage::sqlite
