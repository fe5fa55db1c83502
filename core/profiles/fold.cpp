// SPDX-License-Identifier: MIT
#include "core/profiles/fold.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/profiles/merge.h"

namespace edge::profiles {
namespace {

using events::Event;
using events::Type;
using json::Value;

std::string_view text_at(std::optional<Value> object, std::string_view name) {
  const auto member = object ? object->find(name) : std::nullopt;
  return member ? member->as_string().value_or(std::string_view{}) : std::string_view{};
}

std::string_view path_of(const Event& event) {
  const std::string_view path = text_at(event.properties(), "path");
  if (!path.empty() || !event.context()) {
    return path;
  }
  return text_at(event.context()->find("page"), "path");
}

void count_activity(Activity& activity, const Event& event) {
  if (event.type() == Type::Page) {
    activity.pricing_pages += path_of(event).find("/pricing") == std::string_view::npos ? 0 : 1;
    return;
  }
  if (event.type() != Type::Track) {
    return;
  }
  if (event.event() == "Email Opened") {
    ++activity.email_opens;
  } else if (event.event() == "Form Submitted") {
    ++activity.forms;
    activity.demo_requests += text_at(event.properties(), "formType") == "demo_request" ? 1 : 0;
  } else if (event.event() == "Button Clicked") {
    ++activity.button_clicks;
  } else {
    ++activity.other_tracks;
  }
}

void count(Profile& profile, const Event& event, std::chrono::milliseconds session_gap) {
  const Time at = event.timestamp();
  profile.first_seen = profile.event_count == 0 ? at : std::min(profile.first_seen, at);
  profile.last_seen = profile.event_count == 0 ? at : std::max(profile.last_seen, at);
  ++profile.event_count;
  profile.sessions.add(at, session_gap);
  count_activity(profile.activity, event);
  const std::string_view anonymous = event.anonymous_id();
  if (at >= profile.anonymous_at && profile.owns(kAnonymousId, anonymous)) {
    profile.anonymous_id = anonymous;
    profile.anonymous_at = at;
  }
}

void set_profile_traits(Ledger& ledger, Profile& profile, const Event& event) {
  if (!event.traits()) {
    return;
  }
  TraitUpdate update = set_traits(profile.traits, *event.traits(), event.timestamp());
  if (update.dropped) {
    profile.flags.insert("trait_limit");
  }
  for (TraitChange& change : update.changes) {
    ledger.record(profile.id,
                  HistoryEntry{.number = profile.change_count++,
                               .change = std::move(change),
                               .message_id = std::string(event.message_id())});
  }
}

void set_group_traits(Ledger& ledger, Traits& group, const Event& event) {
  if (event.traits()) {
    set_traits(group, *event.traits(), event.timestamp());
    ledger.touch_group(event.group_id());
  }
}

}  // namespace

std::vector<Identifier> lookups_of(const Event& event, std::span<const Identifier> ids) {
  std::vector<Identifier> wanted(ids.begin(), ids.end());
  for (const Identifier& id : ids) {
    if (id.type == kUserId || id.type == kAnonymousId) {
      wanted.push_back({.type = std::string(kAliasId), .value = id.value});
    }
  }
  if (event.type() == Type::Alias && event.previous_id().size() <= kMaxIdentifierBytes &&
      !event.previous_id().empty()) {
    for (const std::string_view type : {kUserId, kAnonymousId, kAliasId}) {
      wanted.push_back({.type = std::string(type), .value = std::string(event.previous_id())});
    }
  }
  return wanted;
}

Result<ProfileId> fold(Ledger& ledger,
                       const Rules& rules,
                       const Event& event,
                       std::span<const Identifier> ids,
                       Place place) {
  if (event.is_internal()) {
    return ProfileId{};
  }
  Traits* group = nullptr;
  const std::string_view group_id = event.group_id();
  if (event.type() == Type::Group && !group_id.empty() && group_id.size() <= kMaxIdentifierBytes) {
    const auto loaded = ledger.group(group_id);
    if (!loaded) {
      return Failure(loaded.error());
    }
    group = *loaded;
  }
  const auto matched = event.type() == Type::Alias ? alias(ledger, rules, event, place)
                                                   : match(ledger, rules, event, ids, place);
  if (!matched) {
    return Failure(matched.error());
  }
  if (group != nullptr) {
    set_group_traits(ledger, *group, event);  // whoever said so: they are those of the group
  }
  if (*matched == nullptr) {
    return ProfileId{};
  }
  Profile& profile = **matched;
  if (ledger.watcher() != nullptr) {
    ledger.watcher()->arriving(profile);
  }
  count(profile, event, ledger.session_gap());
  if (event.type() == Type::Identify) {
    set_profile_traits(ledger, profile, event);
  } else if (group != nullptr && profile.groups.size() < kMaxGroups) {
    profile.groups.emplace(event.group_id());
  }
  ledger.touch(profile);
  return profile.id;
}

void refold(Profile& profile, const Event& event, std::chrono::milliseconds session_gap) {
  count(profile, event, session_gap);
  if (event.type() == Type::Identify && event.traits()) {
    set_traits(profile.traits, *event.traits(), event.timestamp());
  } else if (event.type() == Type::Group && profile.groups.size() < kMaxGroups &&
             !event.group_id().empty() && event.group_id().size() <= kMaxIdentifierBytes) {
    profile.groups.emplace(event.group_id());
  }
}

}  // namespace edge::profiles
