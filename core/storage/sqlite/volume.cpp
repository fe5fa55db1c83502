// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/volume.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/storage/sqlite/disk_space.h"
#include "core/storage/sqlite/rows.h"
#include "core/storage/sqlite/schema.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReaders = 4;
constexpr int kReaderCacheKib = 64;  // there are many volumes, and most reading goes forward
constexpr auto kLookUp = 10s;        // bound of a look-up of the log writer

/// Collects rows into a page; damage behind good rows ends it.
class Collector {
 public:
  Collector(Query& rows, const std::filesystem::path& file, std::size_t max_bytes)
      : rows_(rows), file_(file), max_bytes_(max_bytes) {}

  /// The next record, or nothing when the rows, the bytes or the good records end.
  RecordPointer next() {
    try {
      if (is_over_ || !rows_.step()) {
        return nullptr;
      }
      RecordPointer record = record_of(rows_, file_);
      bytes_ += bytes_of(*record);
      is_cut_ = any_ && bytes_ > max_bytes_;
      is_over_ = is_cut_;
      any_ = true;
      return is_cut_ ? nullptr : record;
    } catch (const DatabaseFault& fault) {
      if (!any_ || fault.error().reason != "corrupt") {
        throw;
      }
      is_over_ = is_cut_ = true;
      return nullptr;
    }
  }
  /// True when there may be more rows than were given.
  [[nodiscard]] bool is_cut() const { return is_cut_; }

 private:
  Query& rows_;
  const std::filesystem::path& file_;
  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  bool any_ = false;
  bool is_cut_ = false;
  bool is_over_ = false;
};

std::string find_statement(const Find& query) {
  std::string sql = fmt::format("SELECT {} FROM ev WHERE stream=?1 AND seq<?2 AND at>=?3 AND at<?4",
                                kRecordColumns);
  sql += query.id.empty() ? "" : " AND id=?5";
  sql += query.user.empty() ? "" : " AND user=?6";
  sql += query.kind ? " AND kind=?7" : "";
  sql += query.name.empty() ? "" : " AND name=?8";
  return sql + " ORDER BY seq DESC LIMIT ?9";
}

/// Tells of the hashes of all ids of a volume; of some twice when its sealing was cut off.
template <typename Visit>
void each_id(Database& database, const Visit& visit) {
  const auto visit_all = [&](const char* sql) {
    Query rows = database.query(sql);
    while (rows.step()) {
      IdHash hash{};
      std::string_view row = rows.octets(0);
      for (; row.size() >= hash.size(); row.remove_prefix(hash.size())) {
        std::memcpy(hash.data(), row.data(), hash.size());
        visit(hash);
      }
    }
  };
  // In this order: sealing moves all of them from the one to the other in one transaction.
  visit_all("SELECT h FROM seen_group");
  if (database.has_table("seen")) {
    visit_all("SELECT h FROM seen");
  }
}

}  // namespace

Volume::Volume(std::filesystem::path path, VolumeFacts facts, State state)
    : path_(std::move(path)),
      facts_(std::move(facts)),
      state_(state),
      committed_(facts_.committed),
      readers_(path_,
               state == State::Sealed ? Database::Mode::Immutable : Database::Mode::ReadOnly,
               kReaders,
               kReaderCacheKib) {
  if (state != State::Sealed) {
    const auto reader = readers_.lend(Deadline::in(kLookUp));
    Query mark = reader->query("SELECT first, committed FROM mark");
    if (!mark.step()) {
      throw damage(fmt::format("{} does not say where it begins", path_.string()));
    }
    facts_.first = mark.count(0);
    committed_ = mark.number(1);
  }
}

std::filesystem::path Volume::path_of(const std::filesystem::path& directory,
                                      std::uint64_t number) {
  return directory / fmt::format("{:08}.ev", number);
}

void Volume::create(const std::filesystem::path& path,
                    const VolumeFacts& facts,
                    const Recent::Heads& heads) {
  const std::filesystem::path fresh = path.string() + ".new";
  {
    Database database(fresh, Database::Mode::ReadWrite);
    prepare_volume(database, facts.first, facts.committed);
    Transaction transaction(database);
    for (const auto& [lane, offset] : heads) {
      database.query("INSERT INTO head VALUES(?1, ?2, ?3)")
          .bind(1, std::string_view(lane.first))
          .bind(2, lane.second)
          .bind(3, offset)
          .run();
    }
    transaction.commit();
  }
  std::filesystem::rename(fresh, path);
  flush_directory(path.parent_path());
}

std::uint64_t Volume::bytes() const {
  std::error_code error;
  const std::uint64_t file = std::filesystem::file_size(path_, error);
  const std::uint64_t total = error ? 0 : file;
  const std::uint64_t wal = std::filesystem::file_size(path_.string() + "-wal", error);
  return error ? total : total + wal;
}

Slice Volume::read(const Read& query, Deadline deadline) {
  const std::string sql =
      fmt::format("SELECT {} FROM ev WHERE seq>?1 AND stream=?2 AND lane=?3 ORDER BY seq LIMIT ?4",
                  kRecordColumns);
  const auto reader = readers_.lend(deadline);
  Query rows = reader->query(sql);
  rows.bind(1, query.after)
      .bind(2, std::string_view(query.stream))
      .bind(3, query.lane)
      .bind(4, query.max_records);
  Collector collector(rows, path_, query.max_bytes);
  Slice slice{{}, query.after};
  while (RecordPointer record = collector.next()) {
    slice.reached = record->offset;
    slice.records.push_back(std::move(record));
  }
  return slice;
}

Found Volume::find(const Find& query, Deadline deadline) {
  const bool has_bounds = state_ == State::Sealed && facts_.at_max != 0;
  if (has_bounds &&
      (query.since > facts_.at_max || (query.until != 0 && query.until <= facts_.at_min))) {
    return {};
  }
  constexpr auto kNoBound = std::numeric_limits<std::int64_t>::max();
  const std::string sql = find_statement(query);
  const auto reader = readers_.lend(deadline);
  Query rows = reader->query(sql);
  rows.bind(1, std::string_view(query.stream))
      .bind(2, query.before == 0 ? kNoBound : static_cast<std::int64_t>(query.before))
      .bind(3, query.since)
      .bind(4, query.until == 0 ? kNoBound : query.until)
      .bind(5, std::string_view(query.id))
      .bind(6, std::string_view(query.user))
      .bind(7, query.kind.value_or(0))
      .bind(8, std::string_view(query.name))
      .bind(9, query.limit + 1);
  Collector collector(rows, path_, kMaxPageBytes);
  Found found;
  while (RecordPointer record = collector.next()) {
    if (found.records.size() == query.limit) {
      found.next = record->offset + 1;
      return found;
    }
    found.records.push_back(std::move(record));
  }
  if (collector.is_cut()) {
    found.next = found.records.back()->offset;
  }
  return found;
}

Recent::Heads Volume::heads(Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  Query rows = reader->query("SELECT stream, lane, seq FROM head");
  Recent::Heads heads;
  while (rows.step()) {
    heads[{std::string(rows.octets(0)), static_cast<std::uint32_t>(rows.number(1))}] =
        rows.count(2);
  }
  return heads;
}

bool Volume::has_seen(const IdHash& hash, std::int64_t since) {
  if (committed_ <= since) {
    ids_.reset();
    return false;
  }
  if (state_ != State::Sealed) {
    if (!ids_) {
      ids_ = read_ids(*readers_.lend(Deadline::in(kLookUp)));
    }
    return ids_->contains(hash);
  }
  const auto reader = readers_.lend(Deadline::in(kLookUp));
  const std::string_view octets(hash.data(), hash.size());
  return reader->query("SELECT 1 FROM seen WHERE h=?1").bind(1, octets).step();
}

std::optional<IdTags> Volume::id_tags() {
  std::optional<IdTags> tags;
  {
    const auto reader = readers_.lend(Deadline::in(kLookUp));
    tags = IdTags::unpack(meta(*reader, "id_tags"));
    tags = tags ? tags : IdTags::of(sorted_ids(*reader));
  }
  close_idle_readers();  // nobody may need their pages again
  return tags;
}

std::optional<std::string> Volume::receipt_of(std::string_view token, std::int64_t since) {
  if (committed_ <= since) {
    return std::nullopt;
  }
  const auto reader = readers_.lend(Deadline::in(kLookUp));
  Query row = reader->query("SELECT receipt FROM token WHERE t=?1 AND at>?2");
  return row.bind(1, token).bind(2, since).step() ? std::optional(std::string(row.octets(0)))
                                                  : std::nullopt;
}

IdSet read_ids(Database& database) {
  IdSet ids;
  each_id(database, [&ids](const IdHash& hash) { ids.insert(hash); });
  return ids;
}

std::vector<IdHash> sorted_ids(Database& database) {
  std::vector<IdHash> ids;
  ids.reserve(static_cast<std::size_t>(
      database.number("SELECT (SELECT max(seq) FROM ev) - (SELECT min(seq) FROM ev) + 1")));
  each_id(database, [&ids](const IdHash& hash) { ids.push_back(hash); });
  std::ranges::sort(ids);
  return ids;
}

void Volume::close(std::int64_t committed, IdSet ids) {
  committed_ = std::max(committed_.load(), committed);
  ids_ = std::move(ids);
  state_ = State::Closed;
}

}  // namespace edge::storage::sqlite
