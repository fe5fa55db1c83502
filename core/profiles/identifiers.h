// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/events/event.h"

namespace edge::profiles {

/// Longer values (octets) never identify: they would be keys of the index.
inline constexpr std::size_t kMaxIdentifierBytes = 512;
/// The weakest identifiers of an event beyond this many are not used.
inline constexpr std::size_t kMaxEventIdentifiers = 20;

/// What the operator may set of identity resolution (events spec 5).
struct Rules {
  std::map<std::string, std::size_t, std::less<>> limits = {
      {"user_id", 1}, {"email", 5}, {"anonymous_id", 100}};  ///< per profile and type
  std::size_t other_limit = 20;                              ///< for types not named above
  std::size_t max_identifiers = 1'000;                       ///< per profile
  std::size_t max_merges = 100;                              ///< per profile
  bool alias = true;                                         ///< whether alias events may link
  std::set<std::string, std::less<>> blocked =
      {};  ///< further values that never identify, lower case
  std::chrono::milliseconds session_gap = std::chrono::minutes{30};  ///< ends a session
  std::uint64_t history = 100;  ///< changes of traits kept per profile

  [[nodiscard]] std::size_t limit_of(std::string_view type) const;
};

/// The rules as the configuration has them. Failure: InvalidArgument naming the key.
Result<Rules> rules_of(const config::Identity& settings, const config::Profiles& people = {});

/// One name that a person goes by. Orders by strength: rank, then type, then value.
struct Identifier {
  int rank = 2;
  std::string type = {};
  std::string value = {};

  auto operator<=>(const Identifier&) const = default;
};

/// Whether a value may identify: not empty, not too long, no placeholder (`null`, `undefined`,
/// `0000-0000`, …; events spec 5.1) and not blocked.
bool is_usable(std::string_view value, const Rules& rules);

/// A mail address as it identifies: trimmed, lower case (ASCII). Empty when it is none: exactly one
/// `@` with something on both sides.
std::string normal_email(std::string_view raw);

/// The identifiers of an event (events spec 5.1), strongest first, each once.
std::vector<Identifier> identifiers_of(const events::Event& event, const Rules& rules);

}  // namespace edge::profiles
