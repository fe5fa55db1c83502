// SPDX-License-Identifier: MIT
#include "core/profiles/merge.h"

#include <algorithm>
#include <utility>

namespace edge::profiles {
namespace {

/// Snapshots that would not fit into an entry are left out: such a merge cannot be undone.
constexpr std::size_t kMaxSnapshotBytes = std::size_t{200} * 1024;

std::string snapshot(const Profile& profile) {
  std::string encoded = encode(profile);
  return encoded.size() <= kMaxSnapshotBytes ? encoded : std::string{};
}

void move_identifiers(Ledger& ledger, Profile& into, const Profile& from, bool by_alias) {
  for (const auto& [type, values] : from.identifiers) {
    const bool renamed = by_alias && type == kUserId;
    const std::string_view target = renamed ? kAliasId : std::string_view{type};
    auto& list = into.identifiers[std::string(target)];
    for (const std::string& value : values) {
      if (renamed) {
        ledger.disown(type, value);
      }
      if (std::ranges::find(list, value) == list.end()) {
        list.push_back(value);
      }
      ledger.own(target, value, into.id);
    }
  }
}

void add_up(Activity& into, const Activity& from) {
  into.email_opens += from.email_opens;
  into.forms += from.forms;
  into.demo_requests += from.demo_requests;
  into.pricing_pages += from.pricing_pages;
  into.button_clicks += from.button_clicks;
  into.other_tracks += from.other_tracks;
}

void join_counts(Profile& into, const Profile& from, std::chrono::milliseconds session_gap) {
  if (from.event_count > 0) {
    into.first_seen =
        into.event_count == 0 ? from.first_seen : std::min(into.first_seen, from.first_seen);
    into.last_seen =
        into.event_count == 0 ? from.last_seen : std::max(into.last_seen, from.last_seen);
  }
  into.event_count += from.event_count;
  into.sessions.merge(from.sessions, session_gap);
  add_up(into.activity, from.activity);
  if (into.anonymous_id.empty() || from.anonymous_at > into.anonymous_at) {
    into.anonymous_id = from.anonymous_id;
    into.anonymous_at = from.anonymous_at;
  }
}

}  // namespace

void merge_profiles(Ledger& ledger, Profile& into, Profile& from, const MergeCause& cause) {
  ledger.record(Merge{.id = cause.id,
                      .into = into.id,
                      .from = from.id,
                      .how = cause.how,
                      .by = cause.by,
                      .at = cause.at,
                      .before_into = snapshot(into),
                      .before_from = snapshot(from),
                      .after = cause.after});
  if (ledger.watcher() != nullptr) {
    ledger.watcher()->merging(into, from);
  }
  move_identifiers(ledger, into, from, cause.how == "alias");
  TraitUpdate update = merge_traits(into.traits, from.traits);
  if (update.dropped) {
    into.flags.insert("trait_limit");
  }
  for (TraitChange& change : update.changes) {
    ledger.record(
        into.id,
        HistoryEntry{
            .number = into.change_count++, .change = std::move(change), .message_id = cause.by});
  }
  for (const std::string& group : from.groups) {
    if (into.groups.size() < kMaxGroups) {
      into.groups.insert(group);
    }
  }
  join_counts(into, from, ledger.session_gap());
  into.flags.insert(from.flags.begin(), from.flags.end());
  into.merged_from.push_back(from.id);
  into.merges.push_back(cause.id);
  ledger.touch(into);
  ledger.absorb(from, into.id);
}

}  // namespace edge::profiles
