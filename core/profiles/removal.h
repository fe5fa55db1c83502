// SPDX-License-Identifier: MIT
// Ending profiles for good (events spec 5.7): what lies in the store about a person, found and
// removed in two parts. The profile, its identifiers and what is due for it end on the folding
// thread in one batch with a note of who they were (`Removed`); everything else that is kept under
// the ids of profiles that are no more (`Remains`) belongs to nobody and is removed afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/events/person.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/profiles.h"
#include "core/profiles/projector.h"

namespace edge::profiles {

/// The identifier that a name means; `name` is not `ProfileId`. Mail addresses as `normal_email`.
Identifier identifier_of(Name name, std::string_view value);

/// What must be remembered of a profile that was removed until the rest is done.
struct Removed {
  ProfileId id = {};         ///< empty: nobody went by the name
  std::uint64_t folded = 0;  ///< the log was folded up to here
  std::uint64_t head = 0;    ///< and reached to here
  Identifiers identifiers = {};
  Identifiers asked =
      {};  ///< the name by which it was asked for, whether anybody goes by it or not
  std::vector<std::string> merged_from = {};

  /// Sets `asked`; a profile id is no name that events carry.
  void ask(Name name, std::string_view value);
  [[nodiscard]] std::string encode() const;
  static Result<Removed> decode(std::string_view text);
};

/// Removes the profile that goes by the name and puts what `Removed::encode` gives at `note`, in
/// one batch. Nothing happens when there is a note already, and nobody is found when `wanted` says
/// no.
Projector::Task remove_task(Name name,
                            std::string value,
                            storage::Key note,
                            std::function<bool(const Profile&)> wanted = {});

/// Ids of profiles that are no more: those that were removed and all that were merged into them.
/// Their rows are left: history, changes of segments, merges, redirects.
struct Remains {
  std::set<std::string, std::less<>> profiles = {};
  std::vector<std::string> merges = {};
};
/// Looks for what is left of the removed ones. Reads all merges. Failure: of the store.
Result<Remains> remains_of(storage::Store& store, const std::vector<Removed>& removed);
/// Removes it. Failure: of the store; repeating does the rest.
Result<void> remove(storage::Store& store, const Remains& remains);

/// The events of the removed ones in the log and the names they went by: those that their profiles
/// received, and those under their names, or the names asked for, that no living profile received:
/// nobody did, or a visitor did who has expired since; then all that this visitor received. Reads
/// who received what, and the whole log when a mail address was asked for.
Result<events::Person> person_of(storage::Store& store,
                                 const std::vector<Removed>& removed,
                                 const Remains& remains);

}  // namespace edge::profiles
