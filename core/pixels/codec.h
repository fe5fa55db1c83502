// SPDX-License-Identifier: MIT
// Pixel and link tokens, format 2 (identity spec 1.2):
//
//     offset 0   version 2 | kind | sealed        1 octet
//            1   key number                       1
//            2   time of issue, Unix seconds      4, big-endian
//            6   fields (fields.h), or encrypted  n
//          6+n   HMAC-SHA-256 of all before, cut  16
//
// as base64url. Sealed bodies are encrypted with AES-256-CTR, the tag being the first counter
// block: authenticating the clear text first makes the tag a synthetic nonce (SIV), so equal
// contents give equal tokens and no nonce can be reused wrongly. AES-GCM would cost 12 octets more
// in every mail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/pixels/claims.h"
#include "core/pixels/key_ring.h"

namespace edge::pixels {

inline constexpr std::size_t kMaxTokenTextBytes = 4096;

struct SealOptions {
  std::optional<unsigned> key_number = {};  ///< default: the active key
  bool sealed = false;                      ///< hide ids and metadata
};

/// The token of these claims. Failures: those of `check`, `unknown_key` (no such key number),
/// `too_large`.
Result<std::string> seal(const Claims& claims,
                         const KeyRing& ring,
                         const SealOptions& options = {});

enum class Status : std::uint8_t {
  Ok,
  Malformed,
  UnsupportedVersion,
  UnknownKey,
  BadSignature,
  UnsupportedField,
  Expired,
  Future,
  LegacyV1,
  LegacyV1BadHash,
};
std::string_view name_of(Status status);

struct ReadOptions {
  std::int64_t now_s = 0;                      ///< Unix seconds
  std::int64_t max_future_s = 86400;           ///< how far ahead a time of issue may lie, 0..604800
  std::optional<std::int64_t> max_age_s = {};  ///< a limit of the reader's own
};

/// What a token turned out to be. Claims are there for Ok, Expired and Future; for the two legacy
/// states as far as the old layout has them.
struct Reading {
  Status status = Status::Malformed;
  unsigned version = 2;
  unsigned key_number = 0;
  bool sealed = false;
  Claims claims = {};
  std::optional<double> legacy_timestamp_ms = {};

  [[nodiscard]] bool has_claims() const {
    return status == Status::Ok || status == Status::Expired || status == Status::Future ||
           status == Status::LegacyV1;
  }
  [[nodiscard]] bool authenticated() const { return status != Status::LegacyV1 && has_claims(); }
};

/// Reads a token of either layout, checks in the order of identity spec 1.5; nothing of the body is
/// parsed before the seal was found right. Constant-time comparison of the tag.
Reading open_token(std::string_view text, const KeyRing& ring, const ReadOptions& options);

/// Reads the fields of a token without checking its seal; sealed ones are decrypted with `ring`.
/// For `pixel decode`.
Reading decode_unchecked(std::string_view text, const KeyRing& ring);

/// The token in a bare token, a pixel or link URL, or HTML that holds one: the path segment behind
/// `/pixel/track/`,
/// `/pixel/click/` or `/pixel/unsubscribe/` without a trailing `.gif` or `.png`.
std::string token_in(std::string_view text);

}  // namespace edge::pixels
