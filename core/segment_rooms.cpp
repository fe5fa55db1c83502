// SPDX-License-Identifier: MIT
#include "core/segment_rooms.h"

#include <algorithm>
#include <string>

#include "core/json/writer.h"

namespace edge {
namespace {

void write_list(json::Writer& out, const char* name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) {
    out.string(text);
  }
  out.end_array();
}

}  // namespace

bool is_watched(const state::Rooms& rooms, const profiles::Profile& profile) {
  if (!rooms.has_any()) {
    return false;
  }
  const auto users = profile.identifiers.find(profiles::kUserId);
  return users != profile.identifiers.end() &&
         std::ranges::any_of(users->second, [&rooms](const std::string& user) {
           return rooms.find(state::room_of_user(user)) != nullptr;
         });
}

void tell_rooms(const state::Rooms& rooms, const std::vector<profiles::SegmentNews>& news) {
  for (const profiles::SegmentNews& one : news) {
    json::Writer data;
    data.begin_object();
    write_list(data, "entered", one.entered);
    write_list(data, "exited", one.exited);
    write_list(data, "segments", one.segments);
    const std::string text = data.end_object().take();
    for (const std::string& user : one.users) {
      if (const auto room = rooms.find(state::room_of_user(user))) {
        // When the room takes no more, who listens reads the segments when they come back.
        room->publish(0, {.event = "segment_update", .data = text}, [](const auto&) {});
      }
    }
  }
}

}  // namespace edge
