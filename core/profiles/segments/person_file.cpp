// SPDX-License-Identifier: MIT
#include "core/profiles/segments/person_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/profiles/fold.h"
#include "core/profiles/segments/assess.h"

namespace edge::profiles {
namespace {

using json::Value;

Error wrong(std::string_view member, std::string_view what) {
  return {.code = ErrorCode::InvalidArgument,
          .message = fmt::format("{} must be {}", member, what),
          .field = fmt::format("/{}", member),
          .reason = "bad_person"};
}

Result<void> read_identifiers(Value object, Profile& profile) {
  if (const auto user = object.find("userId"); user && user->as_string()) {
    profile.identifiers[std::string(kUserId)].emplace_back(*user->as_string());
  }
  const auto identifiers = object.find("identifiers");
  if (!identifiers || identifiers->is_null()) {
    return {};
  }
  for (const auto [type, values] : identifiers->members()) {
    auto& list = profile.identifiers[std::string(type)];
    for (const Value value : values.elements()) {
      const auto text = value.as_string();
      if (!text) {
        return Failure(wrong("identifiers", "an object of lists of texts"));
      }
      if (std::ranges::find(list, *text) == list.end()) {
        list.emplace_back(*text);
      }
    }
  }
  return {};
}

Result<std::vector<std::string>> texts_of(Value object, std::string_view member) {
  std::vector<std::string> texts;
  const auto list = object.find(member);
  if (!list || list->is_null()) {
    return texts;
  }
  for (const Value one : list->elements()) {
    texts.emplace_back(one.as_string().value_or(""));
  }
  if (!list->is_array() || std::ranges::find(texts, std::string{}) != texts.end()) {
    return Failure(wrong(member, "a list of texts"));
  }
  return texts;
}

Result<void> count_events(Value object, const Rulebook& book, Time now, Profile& profile) {
  const auto list = object.find("events");
  if (!list || list->is_null()) {
    return {};
  }
  if (!list->is_array()) {
    return Failure(wrong("events", "a list of events"));
  }
  std::vector<events::Event> all;
  for (const Value one : list->elements()) {
    auto event = events::Event::decode(one.raw());
    if (!event) {
      return Failure(wrong("events", "a list of events"));
    }
    all.push_back(std::move(*event));
  }
  std::ranges::stable_sort(all, {}, &events::Event::timestamp);
  const SwitchedOff none;
  Assessor assessor(book, none);
  std::uint64_t arrival = 0;
  for (const events::Event& event : all) {
    refold(profile, event);
    assessor.feed(profile, event, ++arrival, now);
  }
  return {};
}

}  // namespace

Result<Profile> read_person(Value object, const Rulebook& book, Time now) {
  if (!object.is_object()) {
    return Failure({ErrorCode::InvalidArgument, "a person is a JSON object", {}, "bad_person"});
  }
  Profile profile{.first_seen = now, .last_seen = now, .event_count = 0};
  if (auto read = read_identifiers(object, profile); !read) {
    return Failure(read.error());
  }
  if (const auto traits = object.find("traits"); traits && !traits->is_null()) {
    if (!traits->is_object()) {
      return Failure(wrong("traits", "an object"));
    }
    set_traits(profile.traits, *traits, Time{});
  }
  const auto groups = texts_of(object, "groups");
  const auto segments = groups ? texts_of(object, "segments") : groups;
  if (!segments) {
    return Failure(segments.error());
  }
  profile.groups.insert(groups->begin(), groups->end());
  for (const std::string& segment : *segments) {
    if (book.find(segment) == nullptr) {
      profile.standing.manual.emplace(segment, ManualMembership{.source = "file", .since = now});
    }
  }
  if (auto counted = count_events(object, book, now, profile); !counted) {
    return Failure(counted.error());
  }
  for (const auto& [member, time] :
       {std::pair{"firstSeen", &profile.first_seen}, std::pair{"lastSeen", &profile.last_seen}}) {
    if (const auto given = object.find(member); given && !given->is_null()) {
      const auto parsed = events::parse_time(*given);
      if (!parsed) {
        return Failure(wrong(member, "a time"));
      }
      *time = *parsed;
    }
  }
  profile.event_count = std::max<std::uint64_t>(profile.event_count, 1);
  return profile;
}

}  // namespace edge::profiles
