// SPDX-License-Identifier: MIT
#include "core/profiles/open_sessions.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace edge::profiles {
namespace {

constexpr std::size_t kSpans = 8;
constexpr int kLookupShare = 20;                   // one part in so many of the time …
constexpr std::chrono::seconds kLookupCredit{10};  // … and that of so long may be used at once

std::string key_of(std::string_view type, std::string_view value) {
  std::string key(type);
  key += '\0';
  return key += value;
}

bool is_given(const events::Draft& draft, std::string_view member) {
  const auto value = draft.context ? draft.context->find(member) : std::nullopt;
  return value && !value->is_null();
}

bool is_internal(const events::Draft& draft) {
  return std::ranges::find(draft.clocks.flags, events::kInternalFlag) != draft.clocks.flags.end();
}

void describe(events::Draft& draft, const Sessions::Place& place, bool is_new) {
  const std::string id = std::to_string(to_ms(place.id));
  draft.context_patches.push_back({.member = "sessionId", .json = id});
  if (!is_given(draft, "session")) {
    draft.context_patches.push_back({.member = "session",
                                     .json = R"({"id":)" + id + R"(,"new":)" +
                                             (is_new ? "true" : "false") + R"(,"index":)" +
                                             std::to_string(place.index) + "}"});
  }
}

}  // namespace

/// Somebody, by all names of theirs that are here.
struct OpenSessions::Person {
  std::string user = {};  ///< empty: not known (yet)
  Sessions sessions = {};
  Time opened = {};           ///< the session that was opened last …
  std::size_t opener = 0;     ///< … and the hash of the message id that did it
  bool is_stranger = false;   ///< was not looked up for want of time
  bool is_gone = false;       ///< was forgotten
  PersonPointer joined = {};  ///< who they turned out to be
};

/// How an event names somebody, the strongest name first.
struct OpenSessions::Names {
  std::string_view user = {};
  std::vector<std::pair<std::string_view, std::string_view>> all = {};  // type, value

  /// Whether that profile can be meant: a user id counts for certain, an anonymous id unless it is
  /// of somebody with another user id.
  [[nodiscard]] bool can_mean(const Profile& profile) const {
    return user.empty() || profile.newest(kUserId).empty() ||
           std::ranges::any_of(all, [&](const auto& name) {
             return name.first == kUserId &&
                    (profile.owns(kUserId, name.second) || profile.owns(kAliasId, name.second));
           });
  }
};

/// Who is meant, as far as they are here.
struct OpenSessions::Found {
  PersonPointer person = {};
  bool is_known = false;                ///< by the strongest name; otherwise …
  std::vector<Identifier> wanted = {};  ///< … these are looked up
  std::vector<std::string> free = {};   ///< keys of names that are nobody's
};

OpenSessions::OpenSessions(Rules rules,
                           const Clock& clock,
                           metrics::Registry& registry,
                           Lookup lookup,
                           std::size_t max_bytes)
    : rules_(std::move(rules)),
      clock_(clock),
      lookups_(registry.counter("edge_session_lookups_total",
                                "People whose sessions were not in memory, by what the store said",
                                {"outcome"})),
      lookup_(std::move(lookup)),
      max_bytes_(max_bytes) {}

OpenSessions::Names OpenSessions::names_of(const events::Draft& draft) const {
  Names names;
  const auto add = [&](std::string_view type, std::string_view value) {
    if (is_usable(value, rules_)) {
      names.all.emplace_back(type, value);
    }
  };
  add(kUserId, draft.user_id);
  names.user = names.all.empty() ? std::string_view{} : draft.user_id;
  const auto& flags = draft.clocks.flags;
  if (std::ranges::find(flags, events::kAnonymousFlag) == flags.end()) {
    add(kAnonymousId, draft.anonymous_id);
  }
  if (draft.type == events::Type::Alias && rules_.alias) {
    add(kUserId, draft.previous_id);
    add(kAnonymousId, draft.previous_id);
  }
  return names;
}

OpenSessions::PersonPointer OpenSessions::person_at(std::string_view key) {
  PersonPointer* const slot = people_.find(key);
  if (slot == nullptr) {
    return nullptr;
  }
  while ((*slot)->joined) {
    *slot = PersonPointer((*slot)->joined);
  }
  return (*slot)->is_gone ? nullptr : *slot;
}

void OpenSessions::join(const PersonPointer& into, const PersonPointer& from) {
  into->sessions.merge(from->sessions, rules_.session_gap);
  into->user = into->user.empty() ? from->user : into->user;
  if (from->opened > into->opened) {
    into->opened = from->opened;
    into->opener = from->opener;
  }
  from->joined = into;
}

/// Joins those whom the event names, as identity resolution does.
OpenSessions::Found OpenSessions::find(const Names& names) {
  Found found;
  bool is_strongest = true;
  for (const auto& [type, value] : names.all) {
    std::string key = key_of(type, value);
    const PersonPointer other = person_at(key);
    found.is_known = found.is_known || (is_strongest && other && !other->is_stranger);
    is_strongest = false;
    if (!other || other->is_stranger) {
      found.wanted.push_back({.type = std::string(type), .value = std::string(value)});
      found.wanted.push_back({.type = std::string(kAliasId), .value = std::string(value)});
    }
    if (!other) {
      found.free.push_back(std::move(key));
      continue;
    }
    const std::string_view user =
        found.person && !found.person->user.empty() ? found.person->user : names.user;
    const bool is_other = !other->user.empty() && !user.empty() && other->user != user;
    if (other == found.person || (is_other && type != kUserId)) {
      continue;
    }
    if (found.person) {
      join(found.person, other);
    } else {
      found.person = other;
    }
  }
  return found;
}

/// Asks the store, unless there is no time for it, and finds again: others may have been quicker.
OpenSessions::Found OpenSessions::look_up(const Names& names,
                                          const std::vector<Identifier>& wanted,
                                          std::unique_lock<std::mutex>& lock) {
  const SteadyTime begun = clock_.steady();
  std::vector<Profile> profiles;
  bool was_asked = false;
  if (lookups_paid_at_ > begun + kLookupCredit) {
    lookups_.with({"skipped"}).add();
  } else {
    const std::uint64_t forgotten = forgotten_;
    lock.unlock();
    auto answer = lookup_(wanted);
    const auto took = clock_.steady() - begun;
    lookups_.with({!answer ? "failed" : answer->empty() ? "none" : "found"}).add();
    lock.lock();
    lookups_paid_at_ = std::max(lookups_paid_at_, begun) + kLookupShare * took;
    was_asked = answer.has_value();
    if (answer && forgotten_ == forgotten) {
      profiles = std::move(*answer);
    }
  }
  Found found = find(names);
  if (found.is_known) {
    return found;
  }
  for (auto profile = profiles.rbegin(); profile != profiles.rend(); ++profile) {
    if (names.can_mean(*profile)) {
      meet(found, std::move(*profile));  // the strongest comes last and takes in the others
    }
  }
  if (!found.person) {
    found.person = std::make_shared<Person>();
  }
  found.person->is_stranger = !was_asked;
  return found;
}

/// The profile's person, and everybody found, become one.
void OpenSessions::meet(Found& found, Profile profile) {
  PersonPointer known = std::make_shared<Person>();
  known->user = profile.newest(kUserId);
  known->sessions = std::move(profile.sessions);
  known->sessions.shorten(kSpans);
  if (!known->user.empty()) {
    std::string key = key_of(kUserId, known->user);
    const PersonPointer there = person_at(key);
    if (there && !there->is_stranger) {
      known = there;
    } else if (there) {
      join(known, there);
    } else {
      found.free.push_back(std::move(key));
    }
  }
  if (found.person && found.person != known && !found.person->joined) {
    join(known, found.person);
  }
  found.person = known;
}

Time OpenSessions::place(events::Draft& draft) {
  const Names names = is_internal(draft) ? Names{} : names_of(draft);
  if (names.all.empty()) {
    return {};
  }
  const bool has_own = is_given(draft, "sessionId");
  std::unique_lock lock(mutex_);
  Found found = find(names);
  if (!found.is_known && has_own) {
    return {};
  }
  if (!found.is_known) {
    found = look_up(names, found.wanted, lock);
  }
  Person& person = *found.person;
  person.user = person.user.empty() ? names.user : person.user;
  std::size_t bytes = sizeof(Person) + 2 * sizeof(Sessions::Span);  // rarely more are there
  for (const std::string& key : found.free) {
    people_.insert(key, found.person, bytes);
    bytes = sizeof(PersonPointer);
  }
  people_.trim(max_bytes_, [](const auto& /*key*/, const auto& /*person*/) { return false; });
  const auto place = person.sessions.add(draft.clocks.timestamp, rules_.session_gap);
  person.sessions.shorten(kSpans);
  if (!place || has_own) {
    return {};
  }
  const std::size_t message = std::hash<std::string_view>{}(draft.id.text);
  if (place->opens) {
    person.opened = place->id;
    person.opener = message;
  }
  const bool is_new = person.opened == place->id && person.opener == message;
  lock.unlock();
  describe(draft, *place, is_new);
  return place->id;
}

void OpenSessions::forget(const Identifiers& identifiers) {
  const std::lock_guard lock(mutex_);
  ++forgotten_;
  for (const auto& [type, values] : identifiers) {
    for (const std::string& value : values) {
      for (const std::string_view as : {kUserId, kAnonymousId}) {
        const std::string key = key_of(as, value);
        if (const PersonPointer person = person_at(key)) {
          person->is_gone = true;
        }
        people_.erase(key);
      }
    }
  }
}

}  // namespace edge::profiles
