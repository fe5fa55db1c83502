// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"

namespace edge::ratelimit {

/// How a limit counts. `Gcra` spreads the quota evenly and lets `burst` through at once; `Fixed`
/// counts in windows that begin at multiples of the period since 1970.
enum class Algorithm : std::uint8_t { Gcra, Fixed };

std::string_view name_of(Algorithm algorithm);

/// The numbers of a limit. A value.
struct Quota {
  std::uint64_t limit = 0;  ///< per period; 0 turns the limit off
  std::chrono::seconds period{60};
  std::uint64_t burst = 0;  ///< at once, `Gcra` only; 0 = `limit`
  Algorithm algorithm = Algorithm::Gcra;

  [[nodiscard]] std::uint64_t at_once() const { return burst == 0 ? limit : burst; }
};

/// One part of what requests are counted by.
struct KeyPart {
  enum class Kind : std::uint8_t {
    Address,  ///< `ip`: the client, IPv6 by its first 64 bits
    User,     ///< `user`: who is authenticated, else the client
    Header,   ///< `header:X`: the value of a field
    Path,     ///< `path`: decoded
    Literal,  ///< any other text
  };
  Kind kind = Kind::Address;
  std::string text = {};  ///< of `Header` and `Literal`
};

/// One `[[limits]]` table (platform spec 7). A value.
struct Limit {
  std::string name = {};  ///< 1 to 64 of `A-Z a-z 0-9 _ . -`
  Quota quota = {};
  std::vector<KeyPart> key = {KeyPart{}};
  /// `/api/*`, `POST /auth/login`: prefixes or whole patterns of routes, perhaps for one method.
  /// Empty: only programs that ask are counted.
  std::vector<std::string> routes = {};
  /// Limits with equal counters and period count together.
  std::string counters = {};

  /// Whether it counts requests to a route. `/health/*` and `/metrics` are never limited.
  [[nodiscard]] bool covers(std::string_view method, std::string_view pattern) const;
  /// True when its key needs to know who is authenticated.
  [[nodiscard]] bool counts_users() const;
};

/// The limits of the configuration behind the one of the original platform: `api`, 100 in 60 s for
/// each client of `/api/*`; a limit of that name replaces it.
///
/// Failure: InvalidArgument naming the table's place, the member and what it must be.
Result<std::vector<Limit>> read_limits(std::span<const config::Item> items);

/// `ip`, `user`, `header:X-Account`, `path`, or the literal text.
std::string text_of(const KeyPart& part);

}  // namespace edge::ratelimit
