// SPDX-License-Identifier: MIT
#pragma once

#include "core/storage/sqlite/state_reads.h"
#include "core/storage/sqlite/volume_set.h"

namespace edge::storage::sqlite {

/// A data directory seen by a process that does not hold its lock: everything that changes is
/// `bad_request`. Thread-safe.
class ReadOnly final : public Store {
 public:
  /// Throws `DatabaseFault` with NotFound when there is no store.
  ReadOnly(std::filesystem::path directory, const Clock& clock);

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
  [[nodiscard]] DueSize size(const std::string& queue) override;
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
  /// The volumes as they are now: the writer adds some meanwhile.
  VolumeSet& refreshed();

  const std::filesystem::path directory_;
  StateReads reads_;
  VolumeSet volumes_;
};

}  // namespace edge::storage::sqlite
