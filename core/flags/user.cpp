// SPDX-License-Identifier: MIT
#include "core/flags/user.h"

#include "core/json/javascript.h"

namespace edge::flags {

Scalar scalar_of(json::Value value) {
  using Kind = Scalar::Kind;
  switch (value.kind()) {
    case json::Kind::Null:
      return {};
    case json::Kind::True:
    case json::Kind::False:
      return {.kind = Kind::Bool, .boolean = value.kind() == json::Kind::True};
    case json::Kind::Number:
      return {.kind = Kind::Number, .number = value.as_double().value_or(0)};
    case json::Kind::String:
      return {.kind = Kind::Text, .text = *value.as_string()};
    default:
      return {.kind = Kind::Other};
  }
}

StickyMap sticky_map_of(json::Value value) {
  StickyMap map;
  for (const auto& [experiment, entry] : value.members()) {
    if (entry.is_null()) {
      continue;
    }
    StickyEntry made{.experiment = experiment, .raw = entry.raw()};
    if (const auto variation = entry.find("variation_id")) {
      made.variation = variation->is_number() ? variation->raw() : variation->as_string();
    }
    map.push_back(made);
  }
  return map;
}

Result<User> user_of(std::optional<json::Value> user_id,
                     std::optional<json::Value> attributes,
                     std::optional<json::Value> segments) {
  const auto id = user_id ? user_id->as_string() : std::nullopt;
  if (!id || *id == "undefined") {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "userId must be a text other than \"undefined\"",
                    .field = "/userId",
                    .reason = "invalid_identifier"});
  }
  User user = User::named(*id);
  if (attributes && json::javascript::is_truthy(*attributes)) {
    if (!attributes->is_object()) {
      return Failure({.code = ErrorCode::InvalidArgument,
                      .message = "attributes must be an object",
                      .field = "/attributes",
                      .reason = "invalid_attributes"});
    }
    user.attributes.reserve(attributes->size());
    for (const auto& [name, value] : attributes->members()) {
      user.attributes.push_back({name, scalar_of(value)});
      if (name == "$opt_bucketing_id" && value.is_string()) {
        user.bucketing_id = *value.as_string();
      } else if (name == "$opt_experiment_bucket_map") {
        user.sticky = sticky_map_of(value);
      }
    }
  }
  if (segments) {
    for (const json::Value segment : segments->elements()) {
      if (const auto text = segment.as_string()) {
        user.segments.push_back(*text);
      }
    }
  }
  return user;
}

}  // namespace edge::flags
