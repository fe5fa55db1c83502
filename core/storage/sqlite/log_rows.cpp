// SPDX-License-Identifier: MIT
// The statements with which the log writer stores a group.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/storage/sqlite/log_writer.h"
#include "core/storage/sqlite/rows.h"

namespace edge::storage::sqlite {
namespace {

constexpr std::array<std::size_t, 4> kRowsPerInsert = {64, 16, 4, 1};

std::string insert_statement(std::size_t rows) {
  std::string sql = fmt::format("INSERT INTO ev({},stream) VALUES", kRecordColumns);
  for (std::size_t row = 0; row < rows; ++row) {
    sql += row == 0 ? "(?,?,?,?,?,?,?,?,?,?,?)" : ",(?,?,?,?,?,?,?,?,?,?,?)";
  }
  return sql;
}

}  // namespace

void LogWriter::insert_rows() {
  static const auto kStatements = [] {
    std::array<std::string, kRowsPerInsert.size()> statements;
    std::ranges::transform(kRowsPerInsert, statements.begin(), insert_statement);
    return statements;
  }();
  std::size_t first = 0;
  for (std::size_t i = 0; i < kRowsPerInsert.size(); ++i) {
    for (; first + kRowsPerInsert[i] <= rows_.size(); first += kRowsPerInsert[i]) {
      insert(kStatements[i], first, kRowsPerInsert[i]);
    }
  }
}

void LogWriter::insert(const std::string& sql, std::size_t first, std::size_t count) {
  Query query = database_->query(sql);
  int before = 0;  // parameters of the rows before
  for (std::size_t i = first; i < first + count; ++i, before += 11) {
    const Record& record = *rows_[i].record;
    query.bind(before + 1, record.offset)
        .bind(before + 2, record.lane)
        .bind(before + 3, std::string_view(record.id))
        .bind(before + 4, record.at)
        .bind(before + 5, record.kind)
        .bind(before + 6, record.routes)
        .bind(before + 7, std::string_view(record.user))
        .bind(before + 8, std::string_view(record.name))
        .bind(before + 9, checksum(record))
        .bind(before + 10, std::string_view(record.body))
        .bind(before + 11, std::string_view(rows_[i].stream));
  }
  query.run();
}

void LogWriter::write_marks() {
  Recent::Heads heads;
  for (const Recent::Appended& row : rows_) {
    heads[{row.stream, row.record->lane}] = row.record->offset;
  }
  for (const auto& [lane, offset] : heads) {
    database_->query("INSERT OR REPLACE INTO head VALUES(?1, ?2, ?3)")
        .bind(1, std::string_view(lane.first))
        .bind(2, lane.second)
        .bind(3, offset)
        .run();
  }
  if (!fresh_ids_.empty()) {
    database_->query("INSERT INTO seen_group(h) VALUES(?1)")
        .bind(1, std::string_view(fresh_ids_))
        .run();
  }
  if (!rows_.empty()) {
    database_->query("UPDATE mark SET next=?1, committed=?2").bind(1, next_).bind(2, now_).run();
  }
}

}  // namespace edge::storage::sqlite
