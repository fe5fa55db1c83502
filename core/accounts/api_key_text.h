// SPDX-License-Identifier: MIT
// The text of an API key: `edk_` id(10) `_` secret(52) check(7), 74 octets of lower-case base32
// (identity spec 3.6). The check is the CRC-32 of everything before it, so that a mistyped key is
// refused without asking the store, and scanners for leaked keys make no false finds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/random.h"

namespace edge::accounts {

inline constexpr std::string_view kApiKeyPrefix = "edk_";

/// The parts of a well-formed key. `hash` is the SHA-256 of the 52 letters' 32 octets and the only
/// form that is ever stored.
struct ApiKeyParts {
  std::string id = {};
  std::string hash = {};
};

/// A fresh key for `id`; a fresh id when that is empty.
std::string make_api_key(Random& random, std::string id = {});

/// Takes a key apart; nothing when it is not exactly well-formed.
std::optional<ApiKeyParts> read_api_key(std::string_view text);

}  // namespace edge::accounts
