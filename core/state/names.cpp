// SPDX-License-Identifier: MIT
#include "core/state/names.h"

#include <algorithm>

namespace edge::state {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
  });
}

std::string room_of_user(std::string_view user) {
  return std::string("user:").append(user);
}

bool names_room(const std::vector<std::string>& patterns, std::string_view room) {
  return std::ranges::any_of(patterns, [room](std::string_view pattern) {
    return pattern.ends_with('*') ? room.starts_with(pattern.substr(0, pattern.size() - 1))
                                  : pattern == room;
  });
}

}  // namespace edge::state
