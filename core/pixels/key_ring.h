// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/crypto/hmac_sha256.h"

namespace edge::pixels {

/// The number of a key as it is spelled: 0 to 255 in decimal. Nothing for any other text.
std::optional<unsigned> key_number(std::string_view text);

/// The keys of pixel and link tokens (identity spec 1.4): numbered master keys of 32 octets, one of
/// them active. Immutable for readers; `add` and `retire` are for the command that edits the file.
class KeyRing {
 public:
  struct Key {
    std::string master;
    crypto::HmacSha256 mac;  ///< keyed with HKDF info `edge-pixel/2 mac`
    std::string encryption;  ///< HKDF info `edge-pixel/2 enc`
  };

  KeyRing() = default;

  /// Reads `{"active":2,"keys":{"2":"<base64url>"},"retired":{"1":"2025-01-31"}}`; unknown members
  /// are ignored, without `active` the highest number is it. Failure: InvalidArgument, reason
  /// `key_invalid`; a key of less than 32 octets is `key_too_small`. Never quotes key material.
  static Result<KeyRing> parse(std::string_view text);
  /// The ring as the text that `parse` reads.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const Key* find(unsigned number) const;
  [[nodiscard]] unsigned active() const { return active_; }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  /// The key made first among those that are there (1 first, 0 last); null in an empty ring. It
  /// outlives rotations: what is hashed with it stays the same.
  [[nodiscard]] const Key* oldest() const;
  [[nodiscard]] std::vector<unsigned> numbers() const;
  [[nodiscard]] const std::map<unsigned, std::string>& retired() const { return retired_; }

  /// Makes a key under the next free number (1 first, 0 last) and makes it active. Conflict when
  /// all 256 are taken.
  Result<unsigned> add(Random& random);
  /// Deletes the octets of a key and keeps its number taken. NotFound; Conflict for the active key.
  Result<void> retire(unsigned number, Time now);

 private:
  void put(unsigned number, std::string master);

  unsigned active_ = 0;
  std::map<unsigned, Key> keys_;
  std::map<unsigned, std::string> retired_;  // number -> date
};

}  // namespace edge::pixels
