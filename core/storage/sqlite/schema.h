// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/storage/open.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/ground.h"

namespace edge::storage::sqlite {

/// The format that this program writes, and the newest it reads.
inline constexpr std::int64_t kFormat = 1;

/// Makes `edge.db` ready for its writer: tables when new, the format checked. Throws
/// `newer_format`, `corrupt`.
void prepare_state(Database& database);
/// Throws `newer_format` when the file needs a newer program.
void check_format(Database& database);
/// Makes a new volume: tables, where its numbers begin, and when (store time in ms).
void prepare_volume(Database& database, std::uint64_t first, std::int64_t created);
/// Settings of a connection that writes a file continuously; `cache_mib` bounds its pages in
/// memory.
void prepare_writer(Database& database, int cache_mib);
inline constexpr int kStatePageBytes = 4'096;
/// What is only appended needs its right edge alone; the state is changed everywhere.
inline constexpr int kVolumeCacheMib = 4;
inline constexpr int kStateCacheMib = 12;
/// At the end of a writer: moves the write-ahead log into the file, which SQLite does not do by
/// itself while readers have it open. Best effort: the next start does what is missing.
void settle_file(Database& database);
/// Indexes that a volume gets when nothing is added any more.
inline constexpr const char* kSealedIndexes =
    "CREATE INDEX IF NOT EXISTS ev_user ON ev(user, seq);"
    "CREATE INDEX IF NOT EXISTS ev_name ON ev(kind, name, at);"
    "CREATE INDEX IF NOT EXISTS ev_id ON ev(id)";

/// Table of a space; the name must be a valid one.
std::string table_of(const std::string& space);
/// Makes the table of a space when it is not there.
void prepare_space(Database& database, const std::string& space);

/// Throws `corrupt` naming the file when SQLite's quick check finds something.
void check_structure(Database& database);

/// The value of a row of `meta`; empty when there is none.
std::string meta(Database& database, std::string_view name);
void set_meta(Database& database, std::string_view name, std::string_view value);

/// When commits reach the disk. With `Durability::Full` each flushes itself and those before it,
/// but for derived ones, which somebody else must `flush_wal`. With `Normal` `flush_if_overdue`
/// does it for all of a second together. One thread only.
class FlushRule {
 public:
  /// Borrows both for life.
  FlushRule(Ground& ground, Database& database);
  /// Before BEGIN.
  void prepare(bool derived = false);
  /// After each commit, and when there was none for a while. A fault goes to the vitals: there is
  /// nobody to tell here.
  void flush_if_overdue();

 private:
  Ground& ground_;
  Database& database_;
  bool is_full_ = true;
  bool unflushed_ = false;
  std::chrono::steady_clock::time_point flushed_at_;
};

}  // namespace edge::storage::sqlite
