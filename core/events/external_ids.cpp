// SPDX-License-Identifier: MIT
#include "core/events/external_ids.h"

#include <algorithm>

namespace edge::events {
namespace {

using json::Value;

constexpr std::size_t kMaxTypeBytes = 64;

std::string_view text_of(Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->as_string().value_or(std::string_view{}) : std::string_view{};
}

bool is_claimable(std::string_view type) {
  const bool is_name = std::ranges::all_of(type, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
  return is_name && !type.empty() && type.size() <= kMaxTypeBytes && type != "user_id" &&
         type != "alias_id";
}

}  // namespace

void each_external_id(
    const std::optional<Value>& context,
    const std::function<void(std::string_view type, std::string_view value)>& take) {
  const auto list = context ? context->find("externalIds") : std::nullopt;
  if (!list) {
    return;
  }
  for (const Value entry : list->elements()) {
    const std::string_view type = text_of(entry, "type");
    if (text_of(entry, "collection") == "users" && is_claimable(type)) {
      take(type, text_of(entry, "id"));
    }
  }
}

}  // namespace edge::events
