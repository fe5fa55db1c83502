// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edge::state {

inline constexpr std::size_t kMaxNameBytes = 128;
/// Where deletions and writes of keys are told; only the daemon publishes there.
inline constexpr std::string_view kCacheRoom = "$cache";
/// Longest id of a user who has a room.
inline constexpr std::size_t kMaxUserBytes = 500;

/// True for names of rooms and of namespaces of state: 1 to 128 of `A-Z a-z 0-9 _ . : -`.
bool is_name(std::string_view text);
/// The room of everything that concerns one user: `user:ID`, whatever the id looks like.
std::string room_of_user(std::string_view user);
/// Whether one of the patterns names the room: the name itself, or `prefix*`.
bool names_room(const std::vector<std::string>& patterns, std::string_view room);

}  // namespace edge::state
