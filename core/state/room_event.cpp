// SPDX-License-Identifier: MIT
// Stored is the frame itself, so that sending it again costs no thought; an event that is not for
// everybody stands one level deeper beside its list: `{"to":[…],"frame":{…}}`.
#include "core/state/room_event.h"

#include <algorithm>
#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::state {
namespace {

std::optional<RoomEvent> read_frame(json::Value frame, std::string_view text) {
  const auto seq = frame.find("seq");
  const auto ts = frame.find("ts");
  const auto event = frame.find("event");
  if (!seq || !seq->as_uint64() || !ts || !ts->as_int64() || !event || !event->as_string()) {
    return std::nullopt;
  }
  return RoomEvent{.seq = *seq->as_uint64(),
                   .ts = *ts->as_int64(),
                   .event = std::string(*event->as_string()),
                   .frame = std::make_shared<const std::string>(text)};
}

}  // namespace

bool RoomEvent::is_for(const Person& person) const {
  return to.empty() || std::ranges::any_of(to, [&](std::string_view name) {
           constexpr std::string_view kUser = "user:";
           return name.starts_with(kUser) ? name.substr(kUser.size()) == person.user
                                          : name == person.connection;
         });
}

RoomEvent make_event(const Publication& publication, std::uint64_t seq, Time now) {
  json::Writer out;
  out.reserve(publication.data.size() + publication.event.size() + 192);
  out.begin_object()
      .member("type", "event")
      .member("seq", seq)
      .member("ts", std::int64_t{to_ms(now)})
      .key("from")
      .begin_object()
      .member("connectionId", publication.from.connection)
      .member("userId", publication.from.user)
      .end_object()
      .member("event", publication.event)
      .key("data")
      .raw(publication.data)
      .end_object();
  return {.seq = seq,
          .ts = to_ms(now),
          .event = publication.event,
          .to = publication.to,
          .frame = std::make_shared<const std::string>(out.take())};
}

std::string encode(const RoomEvent& event) {
  if (event.to.empty()) {
    return *event.frame;
  }
  json::Writer out;
  out.begin_object().key("to").begin_array();
  for (const std::string& name : event.to) {
    out.string(name);
  }
  return out.end_array().key("frame").raw(*event.frame).end_object().take();
}

std::optional<RoomEvent> decode_event(std::string_view stored) {
  const auto document = json::Document::parse(stored, json::kEvent);
  if (!document) {
    return std::nullopt;
  }
  const auto inner = document->root().find("frame");
  if (!inner) {
    return read_frame(document->root(), stored);
  }
  auto event = read_frame(*inner, inner->raw());
  const auto to = document->root().find("to");
  if (event && to) {
    for (const json::Value name : to->elements()) {
      event->to.emplace_back(name.as_string().value_or(""));
    }
  }
  return event;
}

}  // namespace edge::state
