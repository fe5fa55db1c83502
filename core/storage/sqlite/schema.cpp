// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/schema.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/storage/sqlite/disk_space.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr const char* kStateTables = R"(
CREATE TABLE meta(name BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE mark(one INT PRIMARY KEY, version INT, due INT, lease INT);
INSERT INTO mark VALUES(1, 0, 0, 0);
CREATE TABLE due(q BLOB, at INT, seq INT, id BLOB, tries INT, lease INT, okey BLOB, crc INT, body BLOB,
  PRIMARY KEY(q, at, seq)) WITHOUT ROWID;
CREATE INDEX due_okey ON due(q, okey, at, seq) WHERE okey IS NOT x'';
CREATE TABLE due_size(q BLOB PRIMARY KEY, items INT, octets INT) WITHOUT ROWID;
CREATE TABLE cursor(consumer BLOB, stream BLOB, lane INT, pos INT, ahead BLOB, epoch INT,
  PRIMARY KEY(consumer, stream, lane)) WITHOUT ROWID;
CREATE TABLE token(t BLOB PRIMARY KEY, at INT, receipt BLOB) WITHOUT ROWID;
CREATE TABLE volume(n INTEGER PRIMARY KEY, first INT, last INT, bytes INT, committed INT, at_min INT, at_max INT,
  sha256 BLOB);
)";

constexpr const char* kVolumeTables = R"(
CREATE TABLE meta(name BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE mark(one INT PRIMARY KEY, first INT, next INT, committed INT, created INT);
CREATE TABLE head(stream BLOB, lane INT, seq INT, PRIMARY KEY(stream, lane)) WITHOUT ROWID;
CREATE TABLE ev(seq INTEGER PRIMARY KEY, stream BLOB, lane INT, id BLOB, at INT, kind INT, routes INT, user BLOB, name BLOB,
  crc INT, body BLOB);
CREATE TABLE seen_group(n INTEGER PRIMARY KEY, h BLOB);
CREATE TABLE token(t BLOB PRIMARY KEY, at INT, receipt BLOB) WITHOUT ROWID;
)";

void create(Database& database, int page_size, const char* tables) {
  database.run(fmt::format("PRAGMA page_size={}; PRAGMA journal_mode=WAL", page_size));
  Transaction transaction(database);
  database.run(tables);
  set_meta(database, "format", std::to_string(kFormat));
  set_meta(database, "min_reader", std::to_string(kFormat));
  transaction.commit();
}

}  // namespace

void check_format(Database& database) {
  const std::int64_t format = std::strtoll(meta(database, "min_reader").c_str(), nullptr, 10);
  if (format > kFormat) {
    throw DatabaseFault(
        {ErrorCode::Unavailable,
         fmt::format(
             "{} has format {}, this program knows {}", database.path().string(), format, kFormat),
         "",
         "newer_format"});
  }
}

void prepare_writer(Database& database, int cache_mib) {
  // Debian's library overwrites deleted content by default, which costs an eighth; only erasure of
  // a person needs it.
  database.run(
      fmt::format("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF; "
                  "PRAGMA cache_size=-{}",
                  cache_mib * 1024));
}

void settle_file(Database& database) {
  try {
    database.run("PRAGMA busy_timeout=100; PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const DatabaseFault&) {
    // Nothing is lost: what was committed is in the write-ahead log.
  }
}

void prepare_state(Database& database) {
  if (!database.has_table("meta")) {
    create(database, kStatePageBytes, kStateTables);
  }
  check_format(database);
  prepare_writer(database, kStateCacheMib);
  if (!database.has_table("due_size")) {  // a store of an earlier version
    Transaction transaction(database);
    database.run(
        "CREATE TABLE due_size(q BLOB PRIMARY KEY, items INT, octets INT) WITHOUT ROWID; INSERT "
        "INTO due_size SELECT q, count(*), sum(length(body)) FROM due GROUP BY q");
    transaction.commit();
  }
}

void prepare_volume(Database& database, std::uint64_t first, std::int64_t created) {
  create(database, 16'384, kVolumeTables);
  database.query("INSERT INTO mark VALUES(1, ?1, ?1, ?2, ?2)")
      .bind(1, first)
      .bind(2, created)
      .run();
}

std::string table_of(const std::string& space) {
  return "s_" + space;
}

void prepare_space(Database& database, const std::string& space) {
  const std::string table = table_of(space);
  if (!database.has_table(table)) {
    database.run(fmt::format(
        "CREATE TABLE {0}(p BLOB, k BLOB, ver INT, exp INT, crc INT, v BLOB, PRIMARY KEY(p, k)) "
        "WITHOUT ROWID; CREATE INDEX {0}_exp ON {0}(exp) WHERE exp > 0",
        table));
  }
}

void check_structure(Database& database) {
  Query answer = database.query("PRAGMA quick_check(1)");
  if (answer.step() && answer.octets(0) != "ok") {
    throw damage(fmt::format("{} is damaged: {}", database.path().string(), answer.octets(0)));
  }
}

std::string meta(Database& database, std::string_view name) {
  Query row = database.query("SELECT value FROM meta WHERE name=?1");
  return row.bind(1, name).step() ? std::string(row.octets(0)) : std::string{};
}

void set_meta(Database& database, std::string_view name, std::string_view value) {
  database.query("INSERT OR REPLACE INTO meta VALUES(?1, ?2)").bind(1, name).bind(2, value).run();
}

FlushRule::FlushRule(Ground& ground, Database& database)
    : ground_(ground), database_(database), flushed_at_(std::chrono::steady_clock::now()) {}

void FlushRule::prepare(bool derived) {
  const bool wants_full = ground_.options.durability == Durability::Full && !derived;
  if (wants_full != is_full_) {
    database_.run(wants_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    is_full_ = wants_full;
  }
  unflushed_ = true;
}

void FlushRule::flush_if_overdue() {
  const auto now = std::chrono::steady_clock::now();
  const bool is_overdue =
      ground_.options.durability == Durability::Normal && unflushed_ && now - flushed_at_ >= 1s;
  if (!is_overdue || ground_.vitals.failure()) {
    return;
  }
  try {
    flush_wal(database_.path());
    unflushed_ = false;
    flushed_at_ = now;
  } catch (const DatabaseFault& fault) {
    ground_.judge(fault.error());
  }
}

}  // namespace edge::storage::sqlite
