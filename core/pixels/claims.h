// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::pixels {

enum class TokenKind : std::uint8_t { Open = 0, Click = 1, Unsubscribe = 2 };

/// `open`, `click` or `unsubscribe`.
constexpr std::string_view name_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::Open:
      return "open";
    case TokenKind::Click:
      return "click";
    case TokenKind::Unsubscribe:
      return "unsubscribe";
  }
  return "open";
}

/// What a pixel or link token says (identity spec 1.3). Absent texts are empty.
struct Claims {
  TokenKind kind = TokenKind::Open;
  std::uint32_t issued_at = 0;  ///< Unix seconds
  std::string campaign_id = {};
  std::string email_id = {};
  std::string recipient_id =
      {};  ///< `*` = a template token: the mail service fills the recipient into the query
  std::string metadata = {};  ///< RFC 8785 text of a JSON object with at least one member
  std::uint32_t ttl_s = 0;    ///< 0 = for ever
  std::string url = {};
  std::string link_id = {};
  std::string list_id = {};

  [[nodiscard]] std::optional<std::uint64_t> expires_at() const {
    return ttl_s == 0 ? std::nullopt : std::optional(std::uint64_t{issued_at} + ttl_s);
  }
  bool operator==(const Claims&) const = default;
};

/// Whether claims can become a token. Failures are InvalidArgument with `field` and one of the
/// reasons `missing_field`, `invalid_id`, `invalid_metadata`, `invalid_url`.
Result<void> check(const Claims& claims);

/// A target of a click: 1 to 2048 octets of 0x21..0x7E without backslash, http or https, an
/// authority without `@`.
bool is_target_url(std::string_view url);

/// `text`, a JSON object or null, as token metadata: RFC 8785 form, 2 to 1024 octets, at most 4
/// levels; empty for `{}` and null. Failure: `invalid_metadata`.
Result<std::string> canonical_metadata(std::string_view text);

}  // namespace edge::pixels
