// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/flat_map.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/json/writer.h"
#include "core/profiles/segments/standing.h"
#include "core/profiles/sessions.h"
#include "core/profiles/traits.h"

namespace edge::profiles {

inline constexpr std::string_view kUserId = "user_id";
inline constexpr std::string_view kEmail = "email";
inline constexpr std::string_view kAnonymousId = "anonymous_id";
inline constexpr std::string_view kAliasId = "alias_id";

/// Type → values in the order in which they were attached.
using Identifiers = FlatMap<std::string, std::vector<std::string>>;

/// What the built-in segments count (events spec 6.9).
struct Activity {
  std::uint64_t email_opens = 0;
  std::uint64_t forms = 0;
  std::uint64_t demo_requests = 0;  ///< forms with `formType` `demo_request`
  std::uint64_t pricing_pages = 0;  ///< pages whose path contains `/pricing`
  std::uint64_t button_clicks = 0;
  std::uint64_t other_tracks = 0;

  bool operator==(const Activity&) const = default;
};

/// What is known of one person: the state that the fold keeps (events spec 5). A value.
struct Profile {
  ProfileId id = {};
  std::uint64_t number = 0;  ///< order of creation
  Identifiers identifiers = {};
  Traits traits = {};
  std::set<std::string, std::less<>> groups = {};
  Time first_seen = {};  ///< by event time, as is `last_seen`
  Time last_seen = {};
  Sessions sessions = {};
  std::uint64_t event_count = 0;
  Activity activity = {};
  std::string anonymous_id = {};  ///< the latest by event time …
  Time anonymous_at = {};         ///< … which was this
  std::vector<ProfileId> merged_from = {};
  std::vector<std::string> merges = {};  ///< ids of the merges that did it, in the same order
  std::set<std::string, std::less<>> flags = {};  ///< `identifier_limit`, `trait_limit`
  std::uint64_t change_count = 0;                 ///< trait changes ever, numbers the history
  Standing standing = {};                         ///< in regard to the segments

  bool operator==(const Profile&) const = default;

  [[nodiscard]] bool owns(std::string_view type, std::string_view value) const;
  [[nodiscard]] std::size_t count_of(std::string_view type) const;
  /// The newest value of a type, empty when there is none.
  [[nodiscard]] std::string_view newest(std::string_view type) const;
};

/// Writes the profile document of events spec 5.6. `segments` sorted. Identifier lists are sorted;
/// removed traits are left out; `userId`, `anonymousId` and `email` are null when not known.
void write_document(json::Writer& out,
                    const Profile& profile,
                    std::span<const std::string> segments);

/// Writes the member `identifiers`: type → values, in their order.
void write_identifiers(json::Writer& out, const Identifiers& identifiers);

/// The form in which a profile is stored: JSON of everything above.
std::string encode(const Profile& profile);
/// Reads what `encode` wrote. Failure: Internal when it is something else.
Result<Profile> decode(std::string_view stored);

/// `profile`'s size in memory, roughly, in octets.
std::size_t bytes_of(const Profile& profile);

}  // namespace edge::profiles
