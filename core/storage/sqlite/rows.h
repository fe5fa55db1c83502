// SPDX-License-Identifier: MIT
// How values lie in rows: checksums, and the small text and octet forms of receipts and intervals.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/batch.h"
#include "core/storage/sqlite/database.h"

namespace edge::storage::sqlite {

/// Columns of the table `ev` in the order that `record_of` reads.
inline constexpr const char* kRecordColumns = "seq,lane,id,at,kind,routes,user,name,crc,body";

/// CRC-32C over everything a record holds.
std::uint32_t checksum(const Record& record);
/// The record of a row of `kRecordColumns`; throws `corrupt` naming the file and the offset (also
/// as `field`).
RecordPointer record_of(const Query& row, const std::filesystem::path& file);
/// Octets that a record counts for in limits.
std::size_t bytes_of(const Record& record);

/// CRC-32C over an entry and its place.
std::uint32_t checksum(std::string_view part, std::string_view key, const Entry& entry);

/// The receipt as octets, and back (as written by this program; anything else throws `corrupt`).
std::string pack(const Receipt& receipt);
Receipt unpack(std::string_view octets);

/// `5-9 12-12` and back.
std::string text_of(const std::vector<Interval>& intervals);
std::vector<Interval> intervals_of(std::string_view text);

}  // namespace edge::storage::sqlite
