// SPDX-License-Identifier: MIT
// What differs between two datafiles: in what they say, and in what users get.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flags/crowd.h"
#include "core/flags/datafile.h"

namespace edge::flags {

/// Something that was added, removed or is another.
struct Change {
  enum class Kind : std::uint8_t { Added, Removed, Changed };
  Kind kind = Kind::Changed;
  std::string_view what = {};  ///< `flag`, `variable`, `rule`, `audience`, `holdout`
  std::string flag_key = {};   ///< of variables and rules
  std::string key = {};        ///< of a flag, variable, rule or holdout; name of an audience
  /// Of a changed one, a member with its old and new text: `status`, `audience`, `traffic`,
  /// `variations`, `whitelist`, `type`, `defaultValue`, `conditions`, `values`.
  struct Member {
    std::string name = {};
    std::string before = {};
    std::string after = {};
  };
  std::vector<Member> members = {};
};
std::string_view name_of(Change::Kind kind);

/// Whether a flag is among those asked for; none asked for means all.
bool is_asked(const std::vector<std::string>& flag_keys, std::string_view key);

/// Changes in the order flags, audiences, holdouts. With `flag_keys` only those flags are compared,
/// and what belongs to no flag is left out.
std::vector<Change> compare(const Datafile& before,
                            const Datafile& after,
                            const std::vector<std::string>& flag_keys);

/// From which to which variation users of a flag go; the text is the key, nothing for no variation.
struct Move {
  std::optional<std::string> from = {};
  std::optional<std::string> to = {};
  std::uint64_t users = 0;
};

struct FlagMoves {
  std::string flag_key = {};
  std::uint64_t users = 0;
  std::uint64_t moved = 0;
  std::vector<Move> moves = {};  ///< those that stay, too; most frequent first
};

/// Told of every user whom a flag decides otherwise.
using OnMoved = std::function<void(std::string_view flag_key,
                                   std::string_view user_id,
                                   std::optional<std::string_view> from,
                                   std::optional<std::string_view> to)>;

/// Decides every user under both for the flags that both have, in the order of `before`. Moved is
/// who gets another variation (by key), or the same with another `enabled`. Failure: those of the
/// crowd.
Result<std::vector<FlagMoves>> compare_users(const Datafile& before,
                                             const Datafile& after,
                                             const std::vector<std::string>& flag_keys,
                                             CrowdReader& crowd,
                                             const OnMoved& on_moved);

}  // namespace edge::flags
