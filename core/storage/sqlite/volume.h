// SPDX-License-Identifier: MIT
// One file of the log, `events/N.ev`, from its making to its sealing. The log writer alone appends
// to the newest one; when it is closed, indexes and the tags of its ids are added in the
// background and the file never changes again.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/storage/sqlite/id_index.h"
#include "core/storage/sqlite/id_set.h"
#include "core/storage/sqlite/reader_pool.h"
#include "core/storage/sqlite/recent.h"

namespace edge::storage::sqlite {

/// What `edge.db` keeps about a sealed volume.
struct VolumeFacts {
  std::uint64_t number = 0;
  std::uint64_t first = 0;  ///< no record of this volume is below
  std::uint64_t last = 0;   ///< first - 1 when it is empty
  std::uint64_t bytes = 0;
  std::int64_t committed = 0;  ///< store time of the last commit
  std::int64_t at_min = 0;     ///< least and greatest `at` of its records
  std::int64_t at_max = 0;
  std::string sha256 = {};  ///< empty until it is known
};

/// Reading is thread-safe; `has_seen`, `id_tags` and `receipt_of` are for the log writer only.
class Volume {
 public:
  enum class State : std::uint8_t { Active, Closed, Sealed };

  /// An existing file. `state` Sealed: `facts` are complete; else they are read from the file.
  Volume(std::filesystem::path path, VolumeFacts facts, State state);

  /// Makes the file of a volume; its numbers begin at `facts.first` and its heads are `heads`.
  static void create(const std::filesystem::path& path,
                     const VolumeFacts& facts,
                     const Recent::Heads& heads);
  /// `00000042.ev` in `directory`.
  static std::filesystem::path path_of(const std::filesystem::path& directory,
                                       std::uint64_t number);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t number() const { return facts_.number; }
  [[nodiscard]] std::uint64_t first() const { return facts_.first; }
  /// Of a sealed one.
  [[nodiscard]] const VolumeFacts& facts() const { return facts_; }
  [[nodiscard]] State state() const { return state_; }
  /// True when its last commit was after `since` (store time).
  [[nodiscard]] bool is_younger_than(std::int64_t since) const { return committed_ > since; }
  /// Bytes on disk now.
  [[nodiscard]] std::uint64_t bytes() const;

  /// Records of a lane in this volume within the limits of the query. Damage behind good records
  /// ends the slice before it.
  Slice read(const Read& query, Deadline deadline);
  /// Matching records of this volume, newest first.
  Found find(const Find& query, Deadline deadline);
  /// Last offset of each lane, of this volume and all before it.
  Recent::Heads heads(Deadline deadline);

  /// True when a record with this hash may have been appended since `since` (store time) and is
  /// here.
  bool has_seen(const IdHash& hash, std::int64_t since);
  /// What the search for duplicates keeps in memory of a sealed volume; see `IdIndex::add`.
  std::optional<IdTags> id_tags();
  /// The receipt of a token applied since `since`.
  std::optional<std::string> receipt_of(std::string_view token, std::int64_t since);

  /// The writer has gone to the next volume; its last commit was at `committed`, the hashes of all
  /// its ids are `ids`.
  void close(std::int64_t committed, IdSet ids);
  /// Adds indexes and tags and makes the file read-only; harmless to repeat after a crash in
  /// between.
  VolumeFacts seal();
  /// Writes this sealed volume without the records at `offsets` (rising) and without the hashes
  /// `forgotten` into a new file beside it, `PATH.new`, flushed and read-only. The facts of that
  /// file and how many records it leaves out; nothing, and no file, when it would leave out none.
  struct Rewritten {
    VolumeFacts facts = {};
    std::uint64_t left_out = 0;
  };
  std::optional<Rewritten> rewrite(std::span<const std::uint64_t> offsets,
                                   std::span<const IdHash> forgotten) const;

  void close_idle_readers() { readers_.close_idle(); }

 private:
  static void write_sealed_parts(Database& database);

  const std::filesystem::path path_;
  VolumeFacts facts_;
  std::atomic<State> state_;
  std::atomic<std::int64_t> committed_;
  ReaderPool readers_;
  std::optional<IdSet> ids_;  // of the log writer, when closed
};

/// The hashes of all ids in a volume that is not sealed, or whose sealing was cut off.
IdSet read_ids(Database& database);
/// The same in their order, in the least memory.
std::vector<IdHash> sorted_ids(Database& database);

/// SHA-256 of a file, raw octets; throws a fault when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace edge::storage::sqlite
