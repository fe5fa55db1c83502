// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/state_reads.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/storage/sqlite/rows.h"
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/state_rows.h"

namespace edge::storage::sqlite {
namespace {

constexpr std::size_t kReaders = 4;
constexpr int kReaderCacheKib = 1'024;

/// One view of the file for several statements; ended with the scope.
class View {
 public:
  explicit View(Database& database) : database_(database) { database_.query("BEGIN").run(); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  View(View&&) = delete;
  View& operator=(View&&) = delete;
  ~View() {
    try {
      database_.query("ROLLBACK").run();
    } catch (const DatabaseFault&) {
      // Nothing was written; the connection says so itself when it is used next.
    }
  }

 private:
  Database& database_;
};

}  // namespace

StateReads::StateReads(std::filesystem::path path, const Clock& clock)
    : clock_(clock),
      readers_(std::move(path), Database::Mode::ReadOnly, kReaders, kReaderCacheKib) {}

std::vector<std::optional<Entry>> StateReads::get(std::span<const Key> keys, Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  std::optional<View> view;
  if (keys.size() > 1) {
    view.emplace(*reader);
  }
  const std::int64_t now = store_ms();
  std::vector<std::optional<Entry>> entries;
  entries.reserve(keys.size());
  for (const Key& key : keys) {
    std::optional<Entry> entry = stored_entry(*reader, key);
    entries.push_back(entry && has_expired(*entry, now) ? std::nullopt : std::move(entry));
  }
  return entries;
}

Page StateReads::scan(const Scan& query, Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  const std::string table = table_of(query.space);
  if (!reader->has_table(table)) {
    return {};
  }
  const std::size_t limit = std::min(query.limit, kMaxPageItems);
  Query rows =
      reader->query(fmt::format("SELECT k, ver, exp, crc, v FROM {} WHERE p=?1 AND k>=?2 {} AND "
                                "(exp=0 OR exp>?4) ORDER BY k {} LIMIT ?5",
                                table,
                                query.to.empty() ? "" : "AND k<?3",
                                query.reverse ? "DESC" : ""));
  rows.bind(1, std::string_view(query.part))
      .bind(2, std::string_view(query.from))
      .bind(3, std::string_view(query.to))
      .bind(4, store_ms())
      .bind(5, limit + 1);
  Page page;
  std::size_t bytes = 0;
  while (rows.step()) {
    Page::Item item{std::string(rows.octets(0)),
                    {std::string(rows.octets(4)), rows.count(1), rows.number(2)}};
    bytes += item.key.size() + item.entry.value.size();
    if (page.items.size() == limit || (!page.items.empty() && bytes > kMaxPageBytes)) {
      page.next = query.reverse ? page.items.back().key : item.key;
      break;
    }
    if (static_cast<std::uint32_t>(rows.number(3)) != checksum(query.part, item.key, item.entry)) {
      throw damage(fmt::format("{}: the value of {}/{}/{} has a wrong checksum",
                               reader->path().string(),
                               query.space,
                               query.part,
                               item.key));
    }
    page.items.push_back(std::move(item));
  }
  return page;
}

DuePage StateReads::list(const List& query, Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  const std::size_t limit = std::min(query.limit, kMaxPageItems);
  const bool has_key = query.order_key && !query.order_key->empty();
  // "okey IS NOT x''" lets SQLite use the partial index.
  Query rows = reader->query(fmt::format(
      "SELECT {} FROM due WHERE q=?1 AND (at, seq)>(?2, ?3) {} ORDER BY at, seq LIMIT ?5",
      kDueColumns,
      has_key           ? "AND okey=?4 AND okey IS NOT x''"
      : query.order_key ? "AND okey=?4"
                        : ""));
  const auto after =
      query.after.value_or(std::pair{std::numeric_limits<std::int64_t>::min(), std::uint64_t{0}});
  rows.bind(1, std::string_view(query.queue))
      .bind(2, after.first)
      .bind(3, after.second)
      .bind(5, limit + 1);
  rows.bind(4, query.order_key ? std::string_view(*query.order_key) : std::string_view{});
  DuePage page;
  std::size_t bytes = 0;
  while (rows.step()) {
    Due due = due_of(rows, query.queue);
    bytes += due.body.size();
    if (page.items.size() == limit || (!page.items.empty() && bytes > kMaxPageBytes)) {
      page.next = {page.items.back().at, page.items.back().number};
      break;
    }
    page.items.push_back(std::move(due));
  }
  return page;
}

DueSize StateReads::size(const std::string& queue, Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  // A store that no daemon of this version has opened yet has no such table.
  Query row = reader->query(reader->has_table("due_size")
                                ? "SELECT items, octets FROM due_size WHERE q=?1"
                                : "SELECT count(*), sum(length(body)) FROM due WHERE q=?1");
  row.bind(1, std::string_view(queue));
  return row.step() ? DueSize{row.count(0), row.count(1)} : DueSize{};
}

DueLater StateReads::later(const std::string& queue, Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  Query row = reader->query("SELECT count(*), total(lease>0) FROM due WHERE q=?1 AND at>?2");
  row.bind(1, std::string_view(queue)).bind(2, store_ms());
  return row.step() ? DueLater{row.count(0), row.count(1)} : DueLater{};
}

Position StateReads::position(const std::string& consumer,
                              const std::string& stream,
                              std::uint32_t lane,
                              Deadline deadline) {
  const auto reader = readers_.lend(deadline);
  return stored_position(*reader, consumer, stream, lane);
}

std::optional<Error> violation(std::span<const Key> keys) {
  if (keys.size() > kMaxPageItems) {
    return Error{ErrorCode::TooLarge,
                 fmt::format("at most {} keys at once", kMaxPageItems),
                 "",
                 "too_large"};
  }
  const auto bad =
      std::ranges::find_if(keys, [](const Key& key) { return !is_space_name(key.space); });
  if (bad != keys.end()) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("'{}' is not a name of a space", bad->space),
                 "",
                 "bad_request"};
  }
  return std::nullopt;
}

}  // namespace edge::storage::sqlite
