// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/state_tables.h"

#include <fmt/format.h>

#include <charconv>

#include "core/storage/sqlite/rows.h"
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/state_rows.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kTokenWindowMs = std::chrono::milliseconds(10min).count();

std::string_view octets_of(const Token& token) {
  return {reinterpret_cast<const char*>(token.data()), token.size()};
}

/// The counter in `text` plus `by`; nothing when it is not decimal text or the sum does not fit.
std::optional<std::int64_t> add_to(std::string_view text, std::int64_t by) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() ||
      __builtin_add_overflow(value, by, &value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

void StateTables::begin(std::int64_t now) {
  now_ = now;
  Query row = database_.query("SELECT version, due, lease FROM mark");
  if (!row.step()) {
    throw damage(database_.path().string() + " has lost its high-water marks");
  }
  stored_ = {row.count(0), row.count(1), row.count(2)};
  marks_ = stored_;
  changed_.clear();
}

void StateTables::committed() {
  sizes_.apply(changed_);
  changed_.clear();
}

void StateTables::end() {
  for (const auto& [queue, change] : changed_) {
    database_
        .query(
            "INSERT INTO due_size VALUES(?1, ?2, ?3) ON CONFLICT(q) DO UPDATE SET "
            "items=items+?2, octets=octets+?3")
        .bind(1, std::string_view(queue))
        .bind(2, change.items)
        .bind(3, change.octets)
        .run();
    database_.query("DELETE FROM due_size WHERE q=?1 AND items=0")
        .bind(1, std::string_view(queue))
        .run();
  }
  if (marks_ != stored_) {
    database_.query("UPDATE mark SET version=?1, due=?2, lease=?3")
        .bind(1, marks_.version)
        .bind(2, marks_.due)
        .bind(3, marks_.lease)
        .run();
  }
}

Result<Receipt> StateTables::apply(const Batch& batch) {
  const bool has_token = batch.token != Token{};
  if (has_token) {
    Query known = database_.query("SELECT receipt FROM token WHERE t=?1 AND at>?2");
    if (known.bind(1, octets_of(batch.token)).bind(2, now_ - kTokenWindowMs).step()) {
      return unpack(known.octets(0));
    }
  }
  if (auto error = refusal(batch)) {
    return Failure(std::move(*error));
  }
  Receipt receipt;
  const Marks before = marks_;
  // Only a counter can turn out wrong once writing has begun.
  if (!batch.adds.empty()) {
    database_.query("SAVEPOINT batch").run();
  }
  auto error = apply_entries(batch, receipt);
  if (!batch.adds.empty()) {
    database_.query(error ? "ROLLBACK TO batch" : "RELEASE batch").run();
  }
  if (error) {
    database_.query("RELEASE batch").run();
    database_.forget_tables();
    marks_ = before;
    return Failure(std::move(*error));
  }
  apply_dues(batch, receipt);
  if (has_token) {
    const std::string packed = pack(receipt);
    database_.query("INSERT OR REPLACE INTO token VALUES(?1, ?2, ?3)")
        .bind(1, octets_of(batch.token))
        .bind(2, now_)
        .bind(3, std::string_view(packed))
        .run();
  }
  return receipt;
}

std::optional<Error> StateTables::refusal(const Batch& batch) {
  for (std::size_t i = 0; i < batch.checks.size(); ++i) {
    const std::optional<Entry> entry = living(batch.checks[i].key);
    const std::uint64_t version = entry ? entry->version : 0;
    if (version != batch.checks[i].version) {
      return Error{ErrorCode::Conflict,
                   fmt::format("the key has version {}, not {}", version, batch.checks[i].version),
                   fmt::format("/checks/{}", i),
                   "conflict"};
    }
  }
  for (std::size_t i = 0; i < batch.advances.size(); ++i) {
    const Advance& advance = batch.advances[i];
    if (stored_position(database_, advance.consumer, advance.stream, advance.lane).epoch !=
        advance.position.epoch) {
      return Error{ErrorCode::Conflict,
                   "another member owns the lane",
                   fmt::format("/advances/{}", i),
                   "lost_lease"};
    }
  }
  return std::nullopt;
}

std::optional<Entry> StateTables::living(const Key& key) {
  std::optional<Entry> entry = stored_entry(database_, key);
  return entry && has_expired(*entry, now_) ? std::nullopt : entry;
}

std::uint64_t StateTables::write(const Key& key, Entry entry) {
  prepare_space(database_, key.space);
  entry.version = ++marks_.version;
  database_
      .query(fmt::format("INSERT OR REPLACE INTO {} VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                         table_of(key.space)))
      .bind(1, std::string_view(key.part))
      .bind(2, std::string_view(key.key))
      .bind(3, entry.version)
      .bind(4, entry.expires)
      .bind(5, checksum(key.part, key.key, entry))
      .bind(6, std::string_view(entry.value))
      .run();
  return entry.version;
}

std::optional<Error> StateTables::apply_entries(const Batch& batch, Receipt& receipt) {
  for (const Put& put : batch.puts) {
    receipt.versions.push_back(write(put.key, {put.value, 0, put.expires}));
  }
  for (const Del& del : batch.dels) {
    if (database_.has_table(table_of(del.key.space))) {
      database_.query(fmt::format("DELETE FROM {} WHERE p=?1 AND k=?2", table_of(del.key.space)))
          .bind(1, std::string_view(del.key.part))
          .bind(2, std::string_view(del.key.key))
          .run();
    }
  }
  for (std::size_t i = 0; i < batch.adds.size(); ++i) {
    const Add& add = batch.adds[i];
    const Entry entry = living(add.key).value_or(Entry{"0", 0, add.expires});
    const std::optional<std::int64_t> sum = add_to(entry.value, add.by);
    if (!sum) {
      return Error{ErrorCode::InvalidArgument,
                   "not a counter, or it overflows",
                   fmt::format("/adds/{}", i),
                   "bad_request"};
    }
    write(add.key, {std::to_string(*sum), 0, entry.expires});
    receipt.sums.push_back(*sum);
  }
  return std::nullopt;
}

void StateTables::insert_due(const std::string& queue, const Due& due) {
  database_.query("INSERT INTO due VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
      .bind(1, std::string_view(queue))
      .bind(2, due.at)
      .bind(3, due.number)
      .bind(4, std::string_view(due.id))
      .bind(5, due.tries)
      .bind(6, due.lease)
      .bind(7, std::string_view(due.order_key))
      .bind(8, checksum_of(due))
      .bind(9, std::string_view(due.body))
      .run();
  DueSizes::Change& change = changed_[queue];
  ++change.items;
  change.octets += static_cast<std::int64_t>(due.body.size());
}

void StateTables::apply_dues(const Batch& batch, Receipt& receipt) {
  for (const Enqueue& due : batch.dues) {
    insert_due(due.queue, {due.at, ++marks_.due, 0, 0, due.id, due.order_key, due.body});
  }
  for (std::uint32_t i = 0; i < batch.settles.size(); ++i) {
    if (!settle(batch.settles[i])) {
      receipt.stale.push_back(i);
    }
  }
  for (const Advance& advance : batch.advances) {
    const std::string ahead = text_of(advance.position.ahead);
    database_.query("INSERT OR REPLACE INTO cursor VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(1, std::string_view(advance.consumer))
        .bind(2, std::string_view(advance.stream))
        .bind(3, advance.lane)
        .bind(4, advance.position.offset)
        .bind(5, std::string_view(ahead))
        .bind(6, advance.position.epoch)
        .run();
  }
}

bool StateTables::settle(const Settle& settle) {
  Due due;
  {
    Query row = database_.query(
        fmt::format("SELECT {} FROM due WHERE q=?1 AND at=?2 AND seq=?3", kDueColumns));
    row.bind(1, std::string_view(settle.queue)).bind(2, settle.at).bind(3, settle.number);
    if (!row.step() || row.count(2) != settle.lease) {
      return false;
    }
    due = due_of(row, settle.queue);
  }
  database_.query("DELETE FROM due WHERE q=?1 AND at=?2 AND seq=?3")
      .bind(1, std::string_view(settle.queue))
      .bind(2, settle.at)
      .bind(3, settle.number)
      .run();
  DueSizes::Change& change = changed_[settle.queue];
  --change.items;
  change.octets -= static_cast<std::int64_t>(due.body.size());
  if (settle.outcome == Settle::Outcome::Done) {
    return true;
  }
  due.at = settle.retry_at;
  due.lease = 0;
  due.body = settle.body.empty() ? std::move(due.body) : settle.body;
  if (settle.outcome == Settle::Outcome::Retry) {
    insert_due(settle.queue, due);
    return true;
  }
  due.number = ++marks_.due;
  due.tries = 0;
  due.id = settle.id.empty() ? std::move(due.id) : settle.id;
  insert_due(settle.to, due);
  return true;
}

std::vector<Due> StateTables::take(const Take& query) {
  std::vector<Due> taken;
  std::size_t bytes = 0;
  {
    Query rows = database_.query(fmt::format(
        "SELECT {} FROM due WHERE q=?1 AND at<=?2 ORDER BY at, seq LIMIT ?3", kDueColumns));
    rows.bind(1, std::string_view(query.queue))
        .bind(2, now_)
        .bind(3, std::min(query.limit, kMaxPageItems));
    while (rows.step()) {
      taken.push_back(due_of(rows, query.queue));
      bytes += taken.back().body.size();
      if (bytes > kMaxPageBytes && taken.size() > 1) {
        taken.pop_back();
        break;
      }
    }
  }
  for (Due& due : taken) {
    const std::int64_t was_at = due.at;
    due.at = now_ + std::max<std::int64_t>(query.lease_for.count(), 1);
    due.lease = ++marks_.lease;
    ++due.tries;
    database_.query("UPDATE due SET at=?1, lease=?2, tries=?3 WHERE q=?4 AND at=?5 AND seq=?6")
        .bind(1, due.at)
        .bind(2, due.lease)
        .bind(3, due.tries)
        .bind(4, std::string_view(query.queue))
        .bind(5, was_at)
        .bind(6, due.number)
        .run();
  }
  return taken;
}

Position StateTables::raise_epoch(const std::string& consumer,
                                  const std::string& stream,
                                  std::uint32_t lane) {
  Position position = stored_position(database_, consumer, stream, lane);
  ++position.epoch;
  database_
      .query(
          "INSERT INTO cursor VALUES(?1, ?2, ?3, 0, x'', ?4) "
          "ON CONFLICT(consumer, stream, lane) DO UPDATE SET epoch=?4")
      .bind(1, std::string_view(consumer))
      .bind(2, std::string_view(stream))
      .bind(3, lane)
      .bind(4, position.epoch)
      .run();
  return position;
}

bool StateTables::remove_expired(int limit) {
  std::vector<std::string> tables;
  {
    Query rows =
        database_.query("SELECT name FROM sqlite_master WHERE type='table' AND name GLOB 's_*'");
    while (rows.step()) {
      tables.emplace_back(rows.octets(0));
    }
  }
  bool is_more = false;
  const auto remove = [&](const std::string& sql, std::int64_t until) {
    database_.query(sql).bind(1, until).bind(2, limit).run();
    is_more = is_more || database_.changes() >= limit;
  };
  for (const std::string& table : tables) {
    remove(fmt::format("DELETE FROM {0} WHERE (p, k) IN (SELECT p, k FROM {0} WHERE exp>0 AND "
                       "exp<=?1 LIMIT ?2)",
                       table),
           now_);
  }
  remove("DELETE FROM token WHERE t IN (SELECT t FROM token WHERE at<=?1 LIMIT ?2)",
         now_ - kTokenWindowMs);
  return is_more;
}

}  // namespace edge::storage::sqlite
