// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::flags {

/// Numbers beyond, in either direction, satisfy no condition and are not reported: 2^53.
inline constexpr double kLargestNumber = 9007199254740992.0;

/// What a condition can compare: a JSON value without the inside of lists and objects.
struct Scalar {
  enum class Kind : std::uint8_t { Null, Bool, Number, Text, Other };
  Kind kind = Kind::Null;
  bool boolean = false;
  double number = 0;
  std::string_view text = {};
};

Scalar scalar_of(json::Value value);

struct Attribute {
  std::string_view name = {};
  Scalar value = {};
};

/// Remembered variation of one experiment (sticky bucketing). `raw` is the entry as it was read, so
/// that saving changes nothing in it; empty for one that was made here.
struct StickyEntry {
  std::string_view experiment = {};
  std::optional<std::string_view> variation = {};
  std::string_view raw = {};
};

using StickyMap = std::vector<StickyEntry>;

/// Reads `{experimentId: {variation_id}}`; anything else is an empty map, null entries are absent.
StickyMap sticky_map_of(json::Value value);

/// Who is decided for. All views belong to the caller and must outlive the decision.
struct User {
  std::string_view id = {};
  std::string_view bucketing_id = {};  ///< hashed instead of `id`; the same when not given
  std::vector<Attribute> attributes = {};
  std::vector<std::string_view> segments = {};  ///< qualified segments
  StickyMap sticky = {};                        ///< from `$opt_experiment_bucket_map`

  static User named(std::string_view user_id) { return {.id = user_id, .bucketing_id = user_id}; }
};

/// Builds a user from request input; `attributes` and `segments` may be absent.
///
/// Failure: InvalidArgument with reason `invalid_identifier` (no text, or the text `undefined`) or
/// `invalid_attributes` (neither object nor absent; null, false, 0 and "" count as absent).
Result<User> user_of(std::optional<json::Value> user_id,
                     std::optional<json::Value> attributes,
                     std::optional<json::Value> segments);

}  // namespace edge::flags
