// SPDX-License-Identifier: MIT
// What the key-value store holds, and the rules for it (platform spec 1.1).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace edge::kv {

inline constexpr std::size_t kMaxKeyBytes = 512;
inline constexpr std::size_t kMaxValueBytes = 26'214'400;
inline constexpr std::size_t kMaxMetadataBytes = 1'024;  ///< as compact JSON
inline constexpr std::size_t kMaxBulkEntries = 10'000;
inline constexpr std::size_t kMaxBulkBytes = 100'000'000;  ///< of the request
inline constexpr std::size_t kMaxBulkKeys = 100;           ///< read at once
inline constexpr std::size_t kMaxPageKeys = 1'000;
inline constexpr std::chrono::seconds kLeastTtl{60};

/// What a key holds. A value.
struct Entry {
  std::string value = {};
  std::string metadata = {};  ///< compact JSON text, empty = none
  std::int64_t expires = 0;   ///< ms since 1970, 0 = never

  bool operator==(const Entry&) const = default;
};

/// An entry to write; it replaces value, metadata and expiry of its key.
struct Write {
  std::string key = {};
  Entry entry = {};
};

/// The key is 1 to 512 octets of UTF-8 and neither `.` nor `..`. Failure: InvalidArgument, reason
/// `bad_key`.
Result<void> check_key(std::string_view key);
/// Failure: TooLarge, reason `value_too_large`.
Result<void> check_value(std::size_t octets);
/// A JSON text without the blanks between its tokens; `null` and an empty text are no metadata:
/// empty. Failures: InvalidArgument, reason `metadata_too_large` or `bad_metadata`.
Result<std::string> read_metadata(std::string_view json);

/// When an entry ends, as a client asks for it; without either it never does.
struct Expiry {
  std::optional<std::int64_t> ttl = {};  ///< seconds from now; wins
  std::optional<std::int64_t> at = {};   ///< seconds since 1970
};
/// In ms since 1970, 0 = never. Failure: InvalidArgument, reason `bad_expiry`, when that is less
/// than `least` ahead of `now` or beyond the year 9999.
Result<std::int64_t> expires_of(const Expiry& expiry,
                                Time now,
                                std::chrono::seconds least = kLeastTtl);

}  // namespace edge::kv
