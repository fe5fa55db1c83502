// SPDX-License-Identifier: MIT
#include "core/profile_export.h"

#include <array>

#include "core/edge.h"
#include "core/profiles/removal.h"

namespace edge {
namespace {

using profiles::Name;

/// A line whose second member is JSON text.
void write_line(const std::function<void(std::string_view)>& line,
                std::string_view kind,
                std::string_view member,
                std::string_view json) {
  json::Writer out;
  out.begin_object().member("kind", kind).key(member).raw(json);
  line(out.end_object().take());
}

void write_changes(json::Value history,
                   std::string_view list,
                   std::string_view kind,
                   std::string_view member,
                   const std::function<void(std::string_view)>& line) {
  if (const auto changes = history.find(list)) {
    for (const json::Value change : changes->elements()) {
      write_line(line, kind, member, change.raw());
    }
  }
}

/// How many events were written.
Result<std::size_t> write_events(Edge& edge,
                                 const profiles::Removed& self,
                                 const std::function<void(std::string_view)>& line) {
  std::size_t written = 0;
  const auto remains = profiles::remains_of(edge.store, {self});
  const auto person = remains ? profiles::person_of(edge.store, {self}, *remains)
                              : Result<events::Person>(Failure(remains.error()));
  if (!person) {
    return Failure(person.error());
  }
  for (const std::uint64_t offset : person->offsets) {
    const auto slice =
        edge.store.read({.stream = events::kStream, .after = offset - 1, .max_records = 1},
                        storage::Deadline::in(std::chrono::seconds(5)));
    if (!slice) {
      return Failure(slice.error());
    }
    if (slice->records.empty() || slice->records.front()->offset != offset) {
      continue;  // gone with its part of the log
    }
    const auto event = events::Event::decode(slice->records.front()->body);
    if (event && !event->is_internal() && event->source() != profiles::kSegmentSource) {
      write_line(line, "event", "event", events::without_internals(*event));
      ++written;
    }
  }
  return written;
}

Result<void> write_profile(Edge& edge,
                           const profiles::Profile& profile,
                           const std::function<void(std::string_view)>& line) {
  write_line(line, "profile", "profile", edge.profiles.document(profile, edge.clock.now()));
  for (const auto& [type, values] : profile.identifiers) {
    for (const std::string& value : values) {
      json::Writer out;
      out.begin_object().member("kind", "identifier").member("type", type);
      line(out.member("value", value).end_object().take());
    }
  }
  json::Writer out;
  out.begin_object();
  if (auto written = profiles::write_history(out, edge.profiles, profile); !written) {
    return written;
  }
  const std::string text = out.end_object().take();
  const auto history = json::Document::parse(text, json::kEvent);
  if (!history) {
    return Failure(history.error());
  }
  write_changes(history->root(), "traits", "history", "change", line);
  write_changes(history->root(), "segments", "segment", "change", line);
  write_changes(history->root(), "merges", "merge", "merge", line);
  return {};
}

}  // namespace

Result<std::pair<Name, std::string>> named_in(
    const std::function<std::optional<std::string>(std::string_view)>& member) {
  constexpr std::array<std::pair<std::string_view, Name>, 4> kNames = {
      {{"userId", Name::UserId},
       {"anonymousId", Name::AnonymousId},
       {"email", Name::Email},
       {"profileId", Name::ProfileId}}};
  std::optional<std::pair<Name, std::string>> found;
  for (const auto& [name, kind] : kNames) {
    const auto value = member(name);
    if (!value || value->empty()) {
      continue;
    }
    if (found) {
      return Failure({ErrorCode::InvalidArgument,
                      "give one of userId, anonymousId, email and profileId, not several",
                      std::string(name)});
    }
    found.emplace(kind, *value);
  }
  if (!found) {
    return Failure({ErrorCode::InvalidArgument,
                    "userId, anonymousId, email or profileId is required",
                    "userId",
                    "id_required"});
  }
  return std::move(*found);
}

Result<bool> export_person(Edge& edge,
                           Name name,
                           const std::string& value,
                           const std::function<void(std::string_view)>& line) {
  const auto profile = edge.profiles.find(name, value);
  if (!profile) {
    return Failure(profile.error());
  }
  profiles::Removed self{.folded = edge.projector.counters().position,
                         .head = edge.store.head(events::kStream, 0)};
  self.ask(name, value);
  if (*profile) {
    if (auto written = write_profile(edge, **profile, line); !written) {
      return Failure(written.error());
    }
    self.id = (*profile)->id;
    self.identifiers = (*profile)->identifiers;
    for (const ProfileId& from : (*profile)->merged_from) {
      self.merged_from.push_back(from.text);
    }
  }
  return write_events(edge, self, line).map([&profile](std::size_t count) {
    return profile->has_value() || count > 0;
  });
}

}  // namespace edge
