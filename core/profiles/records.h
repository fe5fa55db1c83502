// SPDX-License-Identifier: MIT
// How profiles lie in the store. All are written by the projector alone, in one batch with its
// position.
//
//   space     part        key              value
//   profile   ""          profile id       a profile (profile.h), or {"redirect":"ID"} after a
//   merge ident     type        value            profile id of the owner group     "" group id
//   stored traits merge     ""          merge id         a merge, snapshots of both sides included
//   history   profile id  00 …             a trait change; number N lies in slot N mod `history`
//                                          (profiles.history, 100)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/id.h"
#include "core/base/result.h"
#include "core/profiles/profile.h"
#include "core/storage/records.h"

namespace edge::profiles {

/// The consumer whose position says how far the log is folded.
inline constexpr const char* kConsumer = "profiles";

/// One merge of the log of events spec 5.5, enough to undo it.
struct Merge {
  std::string id = {};
  ProfileId into = {};
  ProfileId from = {};
  std::string_view how = {};     ///< `match` or `alias`
  std::string by = {};           ///< messageId
  Time at = {};                  ///< the event's time
  std::string before_into = {};  ///< the two profiles as they were, encoded; empty: too long
  std::string before_from = {};
  std::uint64_t after = 0;  ///< events of the log behind this offset came after it
  bool is_undone = false;
};

/// A trait change and what it belongs to.
struct HistoryEntry {
  std::uint64_t number = 0;
  TraitChange change = {};
  std::string message_id = {};
};

/// The id of the profile that was made as number `number` of a lane.
ProfileId profile_id(std::uint32_t lane, std::uint64_t number);

storage::Key profile_key(const ProfileId& id);
storage::Key identifier_key(std::string_view type, std::string_view value);
storage::Key group_key(std::string_view id);
storage::Key merge_key(std::string_view id);
/// The slot of a trait change where `length` (not 0) of them are kept.
storage::Key history_key(const ProfileId& id, std::uint64_t number, std::uint64_t length);

std::string encode(const Merge& merge);
/// Reads what `encode` wrote. Failure: Internal when it is something else.
Result<Merge> decode_merge(std::string_view stored);
std::string encode(const HistoryEntry& entry);
/// What lies at the id of an absorbed profile.
std::string encode_redirect(const ProfileId& into);

/// A stored profile, or the id it was merged into.
struct Stored {
  Profile profile = {};
  ProfileId redirect = {};  ///< empty unless the profile was absorbed
};
/// Failure: Internal when it is neither.
Result<Stored> decode_stored(std::string_view stored);

}  // namespace edge::profiles
