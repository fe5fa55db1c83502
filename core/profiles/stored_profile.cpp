// SPDX-License-Identifier: MIT
// The stored form of a profile; times are milliseconds since 1970.
#include <algorithm>
#include <utility>

#include "core/profiles/profile.h"

namespace edge::profiles {
namespace {

using json::Value;

void write_sessions(json::Writer& out, const Sessions& sessions) {
  out.key("sessions").begin_object();
  out.member("closed", sessions.closed).member("until", to_ms(sessions.closed_until));
  out.key("recent").begin_array();
  for (const Sessions::Span& span : sessions.recent) {
    out.integer(to_ms(span.first)).integer(to_ms(span.last));
  }
  out.end_array();
  const auto opened_first = [](const Sessions::Span& span) { return span.opened == span.first; };
  if (!std::ranges::all_of(sessions.recent, opened_first)) {
    out.key("opened").begin_array();
    for (const Sessions::Span& span : sessions.recent) {
      out.integer(to_ms(span.opened));
    }
    out.end_array();
  }
  out.end_object();
}

void write_activity(json::Writer& out, const Activity& activity) {
  out.key("activity").begin_array();
  for (const std::uint64_t count : {activity.email_opens,
                                    activity.forms,
                                    activity.demo_requests,
                                    activity.pricing_pages,
                                    activity.button_clicks,
                                    activity.other_tracks}) {
    out.unsigned_integer(count);
  }
  out.end_array();
}

/// Reads members of one object; a missing or wrong one is remembered instead of returned.
class Reader {
 public:
  explicit Reader(Value object) : object_(object) {}

  std::uint64_t count(std::string_view name) { return count(member(name)); }
  Time time(std::string_view name) { return time(member(name)); }
  std::string text(std::string_view name) { return text(member(name)); }

  std::uint64_t count(std::optional<Value> value) {
    return keep(value ? value->as_uint64() : std::nullopt);
  }
  Time time(std::optional<Value> value) {
    return from_ms(keep(value ? value->as_int64() : std::nullopt));
  }
  std::string text(std::optional<Value> value) {
    return std::string(keep(value ? value->as_string() : std::nullopt));
  }
  std::optional<Value> member(std::string_view name) { return object_.find(name); }
  [[nodiscard]] bool good() const { return good_; }

 private:
  template <typename T>
  T keep(std::optional<T> value) {
    good_ = good_ && value.has_value();
    return value.value_or(T{});
  }

  Value object_;
  bool good_ = true;
};

Identifiers read_identifiers(Reader& in, std::optional<Value> stored) {
  Identifiers identifiers;
  if (stored) {
    for (const auto [type, values] : stored->members()) {
      auto& list = identifiers[std::string(type)];
      for (const Value value : values.elements()) {
        list.push_back(in.text(value));
      }
    }
  }
  return identifiers;
}

Sessions read_sessions(Reader& in) {
  Sessions sessions;
  if (const auto stored = in.member("sessions")) {
    sessions.closed = in.count(stored->find("closed"));
    sessions.closed_until = in.time(stored->find("until"));
    const auto recent = stored->find("recent");
    const auto opened = stored->find("opened");  // only when one is not its span's first
    for (std::uint32_t i = 0; recent && i + 1 < recent->size(); i += 2) {
      sessions.recent.push_back({.first = in.time(recent->at(i)),
                                 .last = in.time(recent->at(i + 1)),
                                 .opened = in.time(opened ? opened->at(i / 2) : recent->at(i))});
    }
  }
  return sessions;
}

Activity read_activity(Reader& in) {
  const auto stored = in.member("activity");
  const auto at = [&](std::uint32_t i) { return in.count(stored ? stored->at(i) : std::nullopt); };
  return {.email_opens = at(0),
          .forms = at(1),
          .demo_requests = at(2),
          .pricing_pages = at(3),
          .button_clicks = at(4),
          .other_tracks = at(5)};
}

}  // namespace

void write_identifiers(json::Writer& out, const Identifiers& identifiers) {
  out.key("identifiers").begin_object();
  for (const auto& [type, values] : identifiers) {
    out.key(type).begin_array();
    for (const std::string& value : values) {
      out.string(value);
    }
    out.end_array();
  }
  out.end_object();
}

std::string encode(const Profile& profile) {
  json::Writer out;
  out.begin_object().member("id", profile.id.text).member("number", profile.number);
  write_identifiers(out, profile.identifiers);
  write_stored(out.key("traits"), profile.traits);
  out.key("groups").begin_array();
  for (const std::string& group : profile.groups) {
    out.string(group);
  }
  out.end_array();
  out.member("firstSeen", to_ms(profile.first_seen)).member("lastSeen", to_ms(profile.last_seen));
  write_sessions(out, profile.sessions);
  out.member("events", profile.event_count);
  write_activity(out, profile.activity);
  out.member("anonymousId", profile.anonymous_id)
      .member("anonymousAt", to_ms(profile.anonymous_at));
  out.key("mergedFrom").begin_array();
  for (const ProfileId& id : profile.merged_from) {
    out.string(id.text);
  }
  out.end_array().key("merges").begin_array();
  for (const std::string& merge : profile.merges) {
    out.string(merge);
  }
  out.end_array().key("flags").begin_array();
  for (const std::string& flag : profile.flags) {
    out.string(flag);
  }
  out.end_array().member("changes", profile.change_count);
  if (profile.standing != Standing{}) {
    write_stored(out.key("standing"), profile.standing);
  }
  return out.end_object().take();
}

Result<Profile> decode(std::string_view stored) {
  const auto document = json::Document::parse(stored, json::kEvent);
  if (!document) {
    return Failure({ErrorCode::Internal, "stored profile is not readable"});
  }
  Reader in(document->root());
  Profile profile{.id = ProfileId{in.text("id")},
                  .number = in.count("number"),
                  .identifiers = read_identifiers(in, in.member("identifiers"))};
  const auto traits = in.member("traits");
  auto read = traits ? read_stored_traits(*traits) : std::nullopt;
  if (!read) {
    return Failure({ErrorCode::Internal, "stored traits are not readable"});
  }
  profile.traits = std::move(*read);
  if (const auto groups = in.member("groups")) {
    for (const Value group : groups->elements()) {
      profile.groups.insert(in.text(group));
    }
  }
  profile.first_seen = in.time("firstSeen");
  profile.last_seen = in.time("lastSeen");
  profile.sessions = read_sessions(in);
  profile.event_count = in.count("events");
  profile.activity = read_activity(in);
  profile.anonymous_id = in.text("anonymousId");
  profile.anonymous_at = in.time("anonymousAt");
  if (const auto merged = in.member("mergedFrom")) {
    for (const Value id : merged->elements()) {
      profile.merged_from.push_back(ProfileId{in.text(id)});
    }
  }
  if (const auto merges = in.member("merges")) {
    for (const Value merge : merges->elements()) {
      profile.merges.push_back(in.text(merge));
    }
  }
  if (const auto flags = in.member("flags")) {
    for (const Value flag : flags->elements()) {
      profile.flags.insert(in.text(flag));
    }
  }
  profile.change_count = in.count("changes");
  if (const auto standing = in.member("standing")) {
    profile.standing = read_stored_standing(*standing);
  }
  if (!in.good()) {
    return Failure({ErrorCode::Internal, "stored profile is incomplete"});
  }
  return profile;
}

}  // namespace edge::profiles
