// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/state_rows.h"

#include <fmt/format.h>

#include "core/encoding/crc32c.h"
#include "core/storage/sqlite/rows.h"
#include "core/storage/sqlite/schema.h"

namespace edge::storage::sqlite {

std::uint32_t checksum_of(const Due& due) {
  return encoding::crc32c(due.body, encoding::crc32c(due.order_key, encoding::crc32c(due.id)));
}

std::optional<Entry> stored_entry(Database& database, const Key& key) {
  const std::string table = table_of(key.space);
  if (!database.has_table(table)) {
    return std::nullopt;
  }
  Query row =
      database.query(fmt::format("SELECT ver, exp, crc, v FROM {} WHERE p=?1 AND k=?2", table));
  if (!row.bind(1, std::string_view(key.part)).bind(2, std::string_view(key.key)).step()) {
    return std::nullopt;
  }
  Entry entry{std::string(row.octets(3)), row.count(0), row.number(1)};
  if (static_cast<std::uint32_t>(row.number(2)) != checksum(key.part, key.key, entry)) {
    throw damage(fmt::format("{}: the value of {}/{}/{} has a wrong checksum",
                             database.path().string(),
                             key.space,
                             key.part,
                             key.key));
  }
  return entry;
}

Due due_of(const Query& row, const std::string& queue) {
  Due due{row.number(0),
          row.count(1),
          row.count(2),
          static_cast<std::uint32_t>(row.number(3)),
          std::string(row.octets(4)),
          std::string(row.octets(5)),
          std::string(row.octets(7))};
  if (static_cast<std::uint32_t>(row.number(6)) != checksum_of(due)) {
    throw damage(fmt::format("item {} of queue {} has a wrong checksum", due.number, queue));
  }
  return due;
}

Position stored_position(Database& database,
                         const std::string& consumer,
                         const std::string& stream,
                         std::uint32_t lane) {
  Query row = database.query(
      "SELECT pos, ahead, epoch FROM cursor WHERE consumer=?1 AND stream=?2 AND lane=?3");
  if (!row.bind(1, std::string_view(consumer))
           .bind(2, std::string_view(stream))
           .bind(3, lane)
           .step()) {
    return {};
  }
  return {row.count(0), intervals_of(row.octets(1)), row.count(2)};
}

}  // namespace edge::storage::sqlite
