// SPDX-License-Identifier: MIT
// How what happened to memberships lies in the store:
//
//   space              part        key                      value
//   transition         profile id  00 … 99                  a change; number N in slot N mod 100
//   segment_due        ""          time, 15 digits, then id empty
//   segment_count      size        segment                  how many are in it
//   segment_traffic    segment     e or x, then time        how many entered or left in ten minutes
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/profiles/segments/segment_fold.h"

namespace edge::profiles {
namespace {

constexpr std::size_t kTimeDigits = 15;

std::string_view text_at(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_string().value_or("") : std::string_view{};
}

/// One event for all destinations that want this kind.
std::string announcement(const Profile& profile,
                         const Transition& transition,
                         const Definition& definition,
                         bool as_identify,
                         const std::string& id) {
  json::Writer out;
  out.begin_object().member("messageId", id);
  out.member("type", as_identify ? "identify" : "track");
  if (const std::string_view user = profile.newest(kUserId); !user.empty()) {
    out.member("userId", user);
  }
  const std::string_view device =
      profile.anonymous_id.empty() ? profile.newest(kAnonymousId) : profile.anonymous_id;
  if (!device.empty()) {
    out.member("anonymousId", device);
  }
  out.member("timestamp", events::format_time(transition.at));
  if (as_identify) {
    out.key("traits").begin_object().member(transition.segment, transition.entered).end_object();
  } else {
    out.member("event", transition.entered ? "Audience Entered" : "Audience Exited");
    out.key("properties").begin_object().member("audience_key", transition.segment);
    out.member(transition.segment, transition.entered).end_object();
  }
  out.key("integrations").begin_object().member("All", false);
  for (const SendTo& send : definition.send) {
    if (send.as_identify == as_identify) {
      out.member(send.destination, true);
    }
  }
  return out.end_object().end_object().take();
}

}  // namespace

storage::Key transition_key(const ProfileId& id, std::uint64_t number) {
  return {"transition", id.text, fmt::format("{:02}", number % kTransitionsKept)};
}

std::string encode(const LoggedTransition& logged) {
  json::Writer out;
  out.begin_object()
      .member("number", logged.number)
      .member("segment", logged.transition.segment)
      .member("change", logged.transition.entered ? "enter" : "exit")
      .member("at", to_ms(logged.transition.at))
      .member("reason", name_of(logged.transition.reason))
      .member("by", logged.by);
  return out.end_object().take();
}

std::optional<LoggedTransition> decode_transition(std::string_view stored) {
  const auto document = json::Document::parse(stored, json::kEvent);
  if (!document || !document->root().is_object()) {
    return std::nullopt;
  }
  const json::Value root = document->root();
  LoggedTransition logged{
      .number = root.find("number") ? root.find("number")->as_uint64().value_or(0) : 0,
      .transition = {.segment = std::string(text_at(root, "segment")),
                     .entered = text_at(root, "change") == "enter",
                     .at = from_ms(root.find("at") ? root.find("at")->as_int64().value_or(0) : 0)},
      .by = std::string(text_at(root, "by"))};
  for (const Reason reason :
       {Reason::Event, Reason::Time, Reason::Definition, Reason::Merge, Reason::Manual}) {
    if (text_at(root, "reason") == name_of(reason)) {
      logged.transition.reason = reason;
    }
  }
  return logged;
}

storage::Key due_key(Time at, const ProfileId& id) {
  return {
      "segment_due", "", fmt::format("{:015}{}", std::max<std::int64_t>(to_ms(at), 0), id.text)};
}

std::optional<std::pair<Time, ProfileId>> read_due_key(std::string_view key) {
  std::int64_t ms = 0;
  const char* const end = key.data() + std::min(key.size(), kTimeDigits);
  const auto read = std::from_chars(key.data(), end, ms);
  if (read.ec != std::errc{} || read.ptr != end || key.size() <= kTimeDigits) {
    return std::nullopt;
  }
  return std::pair{from_ms(ms), ProfileId{std::string(key.substr(kTimeDigits))}};
}

storage::Key size_key(std::string_view segment) {
  return {"segment_count", "size", std::string(segment)};
}

storage::Key traffic_key(std::string_view segment, bool entered, Time at) {
  const auto step = std::chrono::duration_cast<std::chrono::milliseconds>(kTrafficStep).count();
  return {"segment_traffic",
          std::string(segment),
          fmt::format("{}{:015}", entered ? 'e' : 'x', to_ms(at) / step * step)};
}

std::vector<std::string> announcements_of(const Profile& profile,
                                          const Transition& transition,
                                          const Definition& definition) {
  std::vector<std::string> raw;
  if (definition.send.empty() || (profile.newest(kUserId).empty() && profile.anonymous_id.empty() &&
                                  profile.newest(kAnonymousId).empty())) {
    return raw;
  }
  std::string identity = profile.id.text;
  identity.append(1, '\0').append(transition.segment);
  identity.append(1, '\0').append(transition.entered ? "enter" : "exit");
  identity.append(1, '\0').append(events::format_time(transition.at));
  const std::string id = "seg-" + encoding::hex_encode(crypto::sha256(identity)).substr(0, 32);
  const auto wants = [&](bool as_identify) {
    return std::ranges::any_of(definition.send,
                               [&](const SendTo& send) { return send.as_identify == as_identify; });
  };
  if (wants(false)) {
    raw.push_back(announcement(profile, transition, definition, false, id));
  }
  if (wants(true)) {
    // Two events of one transition need two ids.
    raw.push_back(
        announcement(profile, transition, definition, true, wants(false) ? id + "-i" : id));
  }
  return raw;
}

}  // namespace edge::profiles
