// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"
#include "core/profiles/profiles.h"

namespace edge::profiles {

/// The question by which Optimizely's SDKs (feature experimentation, 2022 and later) ask which
/// segments a user is in.
struct SegmentQuery {
  Name name = Name::UserId;  ///< or `AnonymousId`
  std::string id = {};
  std::optional<std::vector<std::string>> subset = {};  ///< only these segments; unset: all
};

/// Reads the part of GraphQL (October 2021) that such questions are written in: one query of the
/// field `customer` with the argument `fs_user_id` or `vuid`, and within it `audiences` with an
/// optional `subset`. Values are literals or variables.
///
/// Failure: InvalidArgument, reason `bad_query`, with the position in the message.
Result<SegmentQuery> read_segment_query(std::string_view query,
                                        std::optional<json::Value> variables);

}  // namespace edge::profiles
