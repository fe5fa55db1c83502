// SPDX-License-Identifier: MIT
// Rows of `edge.db` as values, on any connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/storage/sqlite/database.h"
#include "core/storage/storage.h"

namespace edge::storage::sqlite {

/// The entry of a key whether expired or not; throws `corrupt` naming space and key. Works on any
/// connection to `edge.db`.
std::optional<Entry> stored_entry(Database& database, const Key& key);
/// CRC-32C over an item.
std::uint32_t checksum_of(const Due& due);
/// Columns of `due` in the order that `due_of` reads.
inline constexpr const char* kDueColumns = "at,seq,lease,tries,id,okey,crc,body";
Due due_of(const Query& row, const std::string& queue);
Position stored_position(Database& database,
                         const std::string& consumer,
                         const std::string& stream,
                         std::uint32_t lane);
inline bool has_expired(const Entry& entry, std::int64_t now) {
  return entry.expires != 0 && entry.expires <= now;
}

}  // namespace edge::storage::sqlite
