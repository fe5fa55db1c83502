// SPDX-License-Identifier: MIT
// Which session an event belongs to, found while it is taken in (events spec 3):
// `context.sessionId` and `context.session`, so that the log, profiles and all destinations agree.
//
// The profile of an event is known only later, to the projector, and nothing but the append may
// stand between an event and its answer. So people's newest sessions are kept here, in memory, by
// user id and anonymous id, and counted by the rule by which the projector counts them. Somebody
// who is not here – new, or not seen since the start – is looked up in the store once.
//
// What this cannot do:
//  - People who are one profile by other names (a mail address, a device id) have sessions of their
//    own until they are looked up again.
//  - Looking up takes at most a twentieth of the time, half a second of it saved up. Beyond that, a
//    flood of strangers, sessions of unknown people begin anew and count from 1; each is looked up
//    as soon as there is time for it.
//  - The store knows people as the projector wrote them last, a fraction of a second ago; who was
//    first seen just before a crash begins a second session after it.
//  - An event from before a person's kept sessions, the newest 8, has none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/events/draft.h"
#include "core/metrics/metrics.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/lru.h"
#include "core/profiles/profile.h"
#include "core/profiles/sessions.h"

namespace edge::profiles {

/// Thread-safe.
class OpenSessions {
 public:
  /// The profiles that go by any of these identifiers, the strongest first. Reads the store; called
  /// without a lock on the thread that takes the event in, so it should not wait for long.
  using Lookup = std::function<Result<std::vector<Profile>>(std::span<const Identifier>)>;

  /// Borrows clock and registry for life. `max_bytes` bounds what is kept: about 500 octets for a
  /// person with a user id and an anonymous id, the longest unseen go first.
  OpenSessions(Rules rules,
               const Clock& clock,
               metrics::Registry& registry,
               Lookup lookup,
               std::size_t max_bytes = std::size_t{64} << 20U);

  /// Puts `sessionId` (ms, the time of the event that opened the session) and
  /// `session` (`{"id":ms,"new":bool,"index":n}`, index 1 = the person's first) into the context;
  /// returns the id. `new` is true for the event that opened the session, also when it is sent
  /// again.
  ///
  /// 1970, and the event is left as it is: it brings a session id, names nobody (no usable id, or
  /// internal), or is too old. One that brings an id counts as activity of people who are here.
  Time place(events::Draft& draft);

  /// Forgets the people who go by these names: their profiles were joined, split or removed.
  void forget(const Identifiers& identifiers);

 private:
  struct Person;
  struct Names;
  struct Found;
  using PersonPointer = std::shared_ptr<Person>;

  [[nodiscard]] Names names_of(const events::Draft& draft) const;
  PersonPointer person_at(std::string_view key);
  void join(const PersonPointer& into, const PersonPointer& from);
  Found find(const Names& names);
  Found look_up(const Names& names,
                const std::vector<Identifier>& wanted,
                std::unique_lock<std::mutex>& lock);
  void meet(Found& found, Profile profile);

  const Rules rules_;
  const Clock& clock_;
  metrics::CounterFamily& lookups_;
  const Lookup lookup_;
  const std::size_t max_bytes_;
  std::mutex mutex_;
  Lru<PersonPointer> people_;        // guarded by mutex_; by type NUL value
  std::uint64_t forgotten_ = 0;      // guarded by mutex_; calls of `forget`
  SteadyTime lookups_paid_at_ = {};  // guarded by mutex_; when their time is a twentieth of all
};

}  // namespace edge::profiles
