// SPDX-License-Identifier: MIT
// What a room tells of those in it.
#include <utility>

#include "core/json/writer.h"
#include "core/state/room.h"

namespace edge::state {

std::string Room::member_json(const Member& member) const {
  json::Writer out;
  out.begin_object()
      .member("connectionId", member.joining.person.connection)
      .member("userId", member.joining.person.user)
      .member("since", member.since);
  if (!member.state.empty()) {
    out.key("state").raw(member.state);
  }
  return out.end_object().take();
}

/// A list of the first of them.
void Room::write_members(std::string& out, std::size_t& left_out) const {
  std::size_t shown = 0;
  out.push_back('[');
  for (const auto& [number, member] : members_) {
    if (!member.joining.is_shown) {
      continue;
    }
    if (shown == kMaxShownMembers) {
      ++left_out;
      continue;
    }
    out.append(shown++ == 0 ? "" : ",").append(member_json(member));
  }
  out.push_back(']');
}

void Room::greet(std::uint64_t number, Member& member) {
  std::size_t left_out = 0;
  std::string members;
  write_members(members, left_out);
  json::Writer out;
  out.begin_object()
      .member("type", "welcome")
      .member("connectionId", member.joining.person.connection)
      .member("room", name_)
      .member("userId", member.joining.person.user)
      .member("seq", history_.head())
      .member("ts", std::int64_t{to_ms(parts_.clock.now())})
      .member("heartbeatMs", std::int64_t{kHeartbeat.count()})
      .key("members")
      .raw(members);
  if (left_out > 0) {
    out.member("membersTruncated", true);
  }
  if (!member.joining.listener->frame(out.end_object().take())) {
    leave(number);
  }
}

/// Tells everybody else of somebody; of an update, them too.
void Room::tell_presence(std::uint64_t about, const char* action, const Member& member) {
  const std::string json = member_json(member);
  const auto text_of = [&json](const char* what) {
    json::Writer out;
    out.begin_object().member("type", "presence").member("action", what).key("member").raw(json);
    return std::make_shared<const std::string>(out.end_object().take());
  };
  const std::string_view what = action;
  const Text text = text_of(action);
  const Text joined = what == "update" ? text_of("join") : text;
  std::vector<std::uint64_t> gone;
  for (auto& [number, other] : members_) {
    const bool is_told = other.joining.is_greeted && (number != about || what == "update");
    if (is_told && !other.joining.listener->presence(about, what == "join", text, joined)) {
      gone.push_back(number);
    }
  }
  for (const std::uint64_t number : gone) {
    leave(number);
  }
}

}  // namespace edge::state
