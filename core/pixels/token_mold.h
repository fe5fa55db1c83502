// SPDX-License-Identifier: MIT
// Tokens of one list: what all rows share is checked and packed once, each row adds its own. It
// writes what `seal` would, without an allocation per token; `tests/bench/pixels.cpp` measures it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/pixels/codec.h"

namespace edge::pixels {

/// What differs from token to token. An empty id takes the constant one.
struct TokenIds {
  std::string_view campaign = {};
  std::string_view email = {};
  std::string_view recipient = {};
  std::optional<std::string_view> metadata = {};  ///< canonical; nothing = the constant one
};

/// One thread only; `ring` must outlive it.
class TokenMold {
 public:
  TokenMold(Claims constants, const KeyRing& ring, const SealOptions& options);

  /// Appends the token to `out`. Failures: those of `seal`; `out` is as before then.
  Result<void> append(std::string& out, const TokenIds& ids);

 private:
  Result<void> append_checked(std::string& out, const TokenIds& ids);

  Claims constants_;
  const KeyRing& ring_;
  SealOptions options_;
  const KeyRing::Key* key_ = nullptr;  // null: every token fails as `seal` says
  bool plain_ = false;                 // an open token with nothing but ids, metadata and life
  std::string head_;
  std::string campaign_;  // packed; empty when there is no constant
  std::string email_;
  std::string metadata_;
  std::string life_;
  std::string octets_;  // of the token under way
};

}  // namespace edge::pixels
