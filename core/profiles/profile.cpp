// SPDX-License-Identifier: MIT
#include "core/profiles/profile.h"

#include <algorithm>

namespace edge::profiles {
namespace {

void write_id(json::Writer& out, std::string_view name, std::string_view id) {
  out.key(name);
  if (id.empty()) {
    out.null();
  } else {
    out.string(id);
  }
}

template <typename Texts>
void write_list(json::Writer& out, std::string_view name, const Texts& texts) {
  out.key(name).begin_array();
  for (const auto& text : texts) {
    out.string(text);
  }
  out.end_array();
}

/// The mail address as the original shows it: the trait, else the identifier.
std::string email_of(const Profile& profile) {
  if (const Trait* trait = find_trait(profile.traits, kEmail)) {
    if (const auto parsed = json::Document::parse(trait->json, json::kEvent)) {
      if (const auto text = parsed->root().as_string()) {
        return std::string(*text);
      }
    }
  }
  return std::string(profile.newest(kEmail));
}

}  // namespace

bool Profile::owns(std::string_view type, std::string_view value) const {
  const auto found = identifiers.find(type);
  return found != identifiers.end() &&
         std::ranges::find(found->second, value) != found->second.end();
}

std::size_t Profile::count_of(std::string_view type) const {
  const auto found = identifiers.find(type);
  return found == identifiers.end() ? 0 : found->second.size();
}

std::string_view Profile::newest(std::string_view type) const {
  const auto found = identifiers.find(type);
  return found == identifiers.end() || found->second.empty() ? std::string_view{}
                                                             : found->second.back();
}

void write_document(json::Writer& out,
                    const Profile& profile,
                    std::span<const std::string> segments) {
  out.begin_object().member("profileId", profile.id.text);
  write_id(out, "userId", profile.newest(kUserId));
  write_id(out,
           "anonymousId",
           profile.anonymous_id.empty() ? profile.newest(kAnonymousId) : profile.anonymous_id);
  write_id(out, "email", email_of(profile));
  out.key("identifiers").begin_object();
  for (const auto& [type, values] : profile.identifiers) {
    std::vector<std::string> sorted = values;
    std::ranges::sort(sorted);
    write_list(out, type, sorted);
  }
  out.end_object().key("traits").begin_object();
  for (const auto& [name, trait] : profile.traits) {
    if (!trait.removed()) {
      out.key(name).raw(trait.json);
    }
  }
  out.end_object();
  write_list(out, "groups", profile.groups);
  write_list(out, "segments", segments);
  out.member("firstSeen", to_ms(profile.first_seen)).member("lastSeen", to_ms(profile.last_seen));
  out.member("sessionCount", profile.sessions.count()).member("eventCount", profile.event_count);
  out.key("mergedFrom").begin_array();
  for (const ProfileId& id : profile.merged_from) {
    out.string(id.text);
  }
  out.end_array();
  if (!profile.flags.empty()) {
    write_list(out, "flags", profile.flags);
  }
  out.end_object();
}

std::size_t bytes_of(const Profile& profile) {
  constexpr std::size_t kNode = 80;  // a tree node with a short text
  std::size_t bytes = sizeof(Profile) + profile.identifiers.bytes() + profile.traits.bytes() +
                      octets_of(profile.traits);
  for (const auto& [type, values] : profile.identifiers) {
    for (const std::string& value : values) {
      bytes += 2 * sizeof(std::string) + value.size();
    }
  }
  for (const std::string& group : profile.groups) {
    bytes += kNode + group.size();
  }
  return bytes + bytes_of(profile.standing) +
         profile.sessions.recent.size() * sizeof(Sessions::Span) +
         profile.merged_from.size() * sizeof(ProfileId);
}

}  // namespace edge::profiles
