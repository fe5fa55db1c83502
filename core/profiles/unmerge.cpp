// SPDX-License-Identifier: MIT
#include "core/profiles/unmerge.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "core/profiles/fold.h"
#include "core/profiles/merge.h"

namespace edge::profiles {
namespace {

Error conflict(std::string message, std::string reason) {
  return {.code = ErrorCode::Conflict, .message = std::move(message), .reason = std::move(reason)};
}

void remove_identifier(Profile& profile, std::string_view type, std::string_view value) {
  const auto found = profile.identifiers.find(type);
  if (found == profile.identifiers.end()) {
    return;
  }
  std::erase(found->second, value);
  if (found->second.empty()) {
    profile.identifiers.erase(found);
  }
}

/// An identifier that goes back to the profile that left, and the type under which the survivor
/// held it: a user id that an alias renamed is an alias id there.
struct Returned {
  std::string_view type;
  std::string_view held;
  std::string_view value;
  bool was_its_own;  ///< the survivor had it before the merge, and keeps it

  [[nodiscard]] bool was_renamed() const { return type != held; }
};

std::vector<Returned> returned_to(const Profile& back, const Profile& before, bool was_alias) {
  std::vector<Returned> returned;
  for (const auto& [type, values] : back.identifiers) {
    const std::string_view held = was_alias && type == kUserId ? kAliasId : std::string_view{type};
    for (const std::string& value : values) {
      returned.push_back({type, held, value, before.owns(held, value)});
    }
  }
  return returned;
}

/// Gives the one with the id `back` its identifiers again.
void return_ownership(Ledger& ledger, std::span<const Returned> returned, const ProfileId& back) {
  for (const Returned& one : returned) {
    if (!one.was_its_own && one.was_renamed()) {
      ledger.disown(one.held, one.value);
    }
    if (!one.was_its_own || one.was_renamed()) {
      ledger.own(one.type, one.value, back);
    }
  }
}

/// What the survivor keeps of its present state: everything that no event says.
void keep_present(Profile& rebuilt, const Profile& present, const Profile& back) {
  rebuilt.flags = present.flags;
  rebuilt.change_count = present.change_count;
  rebuilt.merged_from = present.merged_from;
  rebuilt.merged_from.pop_back();
  rebuilt.merges = present.merges;
  rebuilt.merges.pop_back();
  Standing& standing = rebuilt.standing;
  auto counters = std::move(standing.counters);
  auto manual_before = std::move(standing.manual);
  standing = present.standing;
  standing.counters = std::move(counters);
  std::erase_if(standing.manual, [&](const auto& one) {
    return back.standing.manual.contains(one.first) && !manual_before.contains(one.first);
  });
}

using Holdings = std::vector<SegmentFold::Holding>;

/// Versions of segments by whether all was counted that they hold when the log was folded up to
/// `offset`.
struct Versions {
  Holdings counted;
  Holdings uncounted;

  Versions(const SegmentFold* segments, std::uint64_t offset) {
    for (const auto& one : segments != nullptr ? segments->holdings() : Holdings{}) {
      (one.complete < offset ? counted : uncounted).push_back(one);
    }
  }
};

/// Counts all stored events of a profile anew for some versions, instead of what was counted.
Result<void> count_all(
    SegmentFold& segments, const Holdings& holdings, Profile& profile, const Past& past, Time now) {
  std::erase_if(profile.standing.counters, [&](const auto& counter) {
    return std::ranges::find(holdings,
                             generation_of(counter.first),
                             &SegmentFold::Holding::generation) != holdings.end();
  });
  auto numbers = past.absorbed_by(profile);
  if (!numbers) {
    return Failure(numbers.error());
  }
  numbers->push_back(profile.number);
  for (const std::uint64_t number : *numbers) {
    auto read = past.events_of(number, 0, [&](const events::Event& event, std::uint64_t offset) {
      segments.recount(holdings, profile, event, offset, now);
    });
    if (!read) {
      return read;
    }
  }
  return {};
}

Result<Profile*> alive(Ledger& ledger, const ProfileId& id) {
  auto profile = ledger.survivor(id);
  if (profile && *profile == nullptr) {
    return Failure({ErrorCode::NotFound, "no such profile"});
  }
  return profile;
}

/// Reads the events from the log, by the record of who received them.
EventsOf events_in(storage::Store& store, std::uint32_t lane) {
  return [&store, lane](
             std::uint64_t number, std::uint64_t after, const Visit& visit) -> Result<void> {
    ReceivedReader reader(store, after);
    while (true) {
      const auto run = reader.next();
      if (!run) {
        return Failure(run.error());
      }
      if (run->empty()) {
        return {};
      }
      for (const auto& [offset, receiver] : *run) {
        if (receiver != number) {
          continue;
        }
        const auto slice =
            store.read({.stream = "events", .lane = lane, .after = offset - 1, .max_records = 1},
                       storage::Deadline::in(std::chrono::seconds{5}));
        if (!slice) {
          return Failure(slice.error());
        }
        if (slice->records.empty() || slice->records.front()->offset != offset) {
          continue;  // gone with its part of the log
        }
        if (const auto event = events::Event::decode(slice->records.front()->body)) {
          visit(*event, offset);
        }
      }
    }
  };
}

/// The profile that the merge made. Failure: it cannot be undone.
Result<Profile*> survivor_of(Ledger& ledger, const Merge& merge) {
  if (merge.is_undone) {
    return Failure(conflict("the merge is undone already", "merge_undone"));
  }
  if (merge.before_into.empty() || merge.before_from.empty()) {
    return Failure(
        conflict("the profiles were too large to be kept as they were", "merge_too_large"));
  }
  const auto found = ledger.profile(merge.into);
  if (!found) {
    return Failure(found.error());
  }
  if (*found == nullptr || (*found)->merges.empty() || (*found)->merges.back() != merge.id) {
    return Failure(conflict("a later merge must be undone first", "merge_not_latest"));
  }
  return found;
}

Result<Merge> stored_merge(storage::Store& store, const std::string& id) {
  const auto entry = store.get(merge_key(id), storage::Deadline::in(std::chrono::seconds{5}));
  if (!entry) {
    return Failure(entry.error());
  }
  return *entry ? decode_merge((*entry)->value) : Failure({ErrorCode::NotFound, "no such merge"});
}

/// Follows the log of merges, in which each absorbed profile stands as it was.
AbsorbedBy absorbed_in(storage::Store& store) {
  return [&store](const Profile& profile) -> Result<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> numbers;
    std::vector<std::string> merges = profile.merges;
    while (!merges.empty()) {
      const auto merge = stored_merge(store, merges.back());
      merges.pop_back();
      if (!merge && merge.error().code != ErrorCode::NotFound) {
        return Failure(merge.error());
      }
      const auto absorbed = merge && !merge->is_undone && !merge->before_from.empty()
                                ? decode(merge->before_from)
                                : Failure({ErrorCode::NotFound, "no such profile"});
      if (absorbed) {
        numbers.push_back(absorbed->number);
        merges.insert(merges.end(), absorbed->merges.begin(), absorbed->merges.end());
      }
    }
    return numbers;
  };
}

}  // namespace

Result<void> undo_merge(
    Ledger& ledger, SegmentFold* segments, Merge merge, const Past& past, Time now) {
  const auto found = survivor_of(ledger, merge);
  if (!found) {
    return Failure(found.error());
  }
  Profile& survivor = **found;
  const auto before = decode(merge.before_into);
  auto back = decode(merge.before_from);
  if (!before || !back) {
    return Failure(before ? back.error() : before.error());
  }
  Profile rebuilt = *before;
  rebuilt.identifiers = survivor.identifiers;
  // First, so that the events which are counted again do not show names that leave.
  const auto returned = returned_to(*back, *before, merge.how == "alias");
  for (const Returned& one : returned) {
    if (!one.was_its_own) {
      remove_identifier(rebuilt, one.held, one.value);
    }
  }
  const Time seen = std::max(now, survivor.standing.clock);
  const Versions versions(segments, merge.after);
  auto read = past.events_of(
      survivor.number, merge.after, [&](const events::Event& event, std::uint64_t offset) {
        refold(rebuilt, event, ledger.session_gap());
        if (segments != nullptr) {
          segments->recount(versions.counted, rebuilt, event, offset, seen);
        }
      });
  for (Profile* const one : {&rebuilt, &*back}) {
    if (read && !versions.uncounted.empty()) {
      read = count_all(*segments, versions.uncounted, *one, past, seen);
    }
  }
  if (!read) {
    return read;
  }
  // From here on nothing can fail.
  keep_present(rebuilt, survivor, *back);
  return_ownership(ledger, returned, back->id);
  survivor = std::move(rebuilt);
  ledger.touch(survivor);
  if (segments != nullptr) {
    segments->returning(*back);
  }
  Profile& revived = ledger.revive(std::move(*back));
  if (segments != nullptr) {
    segments->pass_time(revived, std::max(now, revived.standing.clock));
    segments->reassess(revived, now, Reason::Merge);
    segments->reassess(survivor, now, Reason::Merge);
  }
  merge.is_undone = true;
  ledger.record(merge);
  return {};
}

Projector::Task merge_task(ProfileId from, ProfileId into) {
  return [from = std::move(from), into = std::move(into)](Desk& desk) -> Result<void> {
    const auto source = alive(desk.ledger, from);
    const auto target = source ? alive(desk.ledger, into) : source;
    if (!target) {
      return Failure(target.error());
    }
    if (*source == *target) {
      return Failure({.code = ErrorCode::InvalidArgument,
                      .message = "both ids lead to one profile",
                      .field = "/into",
                      .reason = "same_profile"});
    }
    const auto total = [](const Profile& profile) {
      std::size_t count = 0;
      for (const auto& [type, values] : profile.identifiers) {
        count += values.size();
      }
      return count;
    };
    if (total(**source) + total(**target) > desk.rules.max_identifiers ||
        (*target)->merged_from.size() >= desk.rules.max_merges) {
      return Failure(conflict("the profiles have too many identifiers or merges together",
                              "identifier_limit"));
    }
    desk.segments.pass_time(**target, std::max(desk.now, (*target)->standing.clock));
    merge_profiles(desk.ledger,
                   **target,
                   **source,
                   {.id = fmt::format("m{}-{}-h{}", desk.lane, desk.folded, (*source)->number),
                    .how = "alias",
                    .by = "",
                    .at = desk.now,
                    .after = desk.folded});
    desk.segments.reassess(**target, desk.now, Reason::Merge);
    return {};
  };
}

Projector::Task unmerge_task(ProfileId profile, std::string merge) {
  return [profile = std::move(profile), merge = std::move(merge)](Desk& desk) -> Result<void> {
    auto stored = stored_merge(desk.store, merge);
    if (!stored) {
      return Failure(stored.error());
    }
    if (stored->into != profile && stored->from != profile) {
      return Failure({ErrorCode::NotFound, "the profile has no such merge"});
    }
    return undo_merge(desk.ledger,
                      &desk.segments,
                      std::move(*stored),
                      {events_in(desk.store, desk.lane), absorbed_in(desk.store)},
                      desk.now);
  };
}

Projector::Task manual_task(std::string user,
                            std::string segment,
                            std::string source,
                            bool is_member) {
  return
      [user = std::move(user), segment = std::move(segment), source = std::move(source), is_member](
          Desk& desk) -> Result<void> {
        auto owner = desk.ledger.owner(kUserId, user);
        if (owner && owner->empty()) {
          owner = desk.ledger.owner(kAliasId, user);
        }
        if (!owner) {
          return Failure(owner.error());
        }
        const auto profile = alive(desk.ledger, *owner);
        if (!profile) {
          return Failure(profile.error());
        }
        const bool is_full = (*profile)->standing.manual.size() >= kMaxManual;
        const bool was_member = (*profile)->standing.manual.contains(segment);
        if (is_member && is_full && !was_member) {
          return Failure(
              {.code = ErrorCode::TooLarge,
               .message = fmt::format("a profile is in at most {} segments by hand", kMaxManual),
               .reason = "too_many_segments"});
        }
        desk.segments.set_manual(**profile, segment, source, is_member, desk.now);
        return {};
      };
}

namespace {

void write_all(Desk& desk, storage::Batch batch) {
  for (storage::Put& put : batch.puts) {
    desk.ledger.write(std::move(put.key), std::move(put.value));
  }
  for (storage::Del& del : batch.dels) {
    desk.ledger.write(std::move(del.key), std::nullopt);
  }
}

}  // namespace

Projector::Task define_task(Definition definition) {
  return [definition = std::move(definition)](Desk& desk) -> Result<void> {
    storage::Batch batch;
    auto put = desk.registry.put(definition, desk.folded, batch);
    write_all(desk, std::move(batch));
    return put;
  };
}

Projector::Task undefine_task(std::string name) {
  return [name = std::move(name)](Desk& desk) -> Result<void> {
    storage::Batch batch;
    auto erased = desk.registry.erase(name, batch);
    if (erased) {
      batch.dels.push_back({.key = size_key(name)});
    }
    write_all(desk, std::move(batch));
    return erased;
  };
}

}  // namespace edge::profiles
