// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "core/flags/decide.h"
#include "core/flags/diff.h"

namespace edge::flags {
namespace {

/// What is counted of one flag.
struct Counting {
  const Flag* before = nullptr;
  std::uint64_t users = 0;
  std::uint64_t moved = 0;
  std::map<std::pair<std::optional<std::string_view>, std::optional<std::string_view>>,
           std::uint64_t>
      moves = {};
};

FlagMoves moves_of(const Counting& counting) {
  FlagMoves moves{.flag_key = std::string(counting.before->key),
                  .users = counting.users,
                  .moved = counting.moved};
  const auto owned = [](std::optional<std::string_view> key) {
    return key ? std::optional(std::string(*key)) : std::nullopt;
  };
  for (const auto& [pair, users] : counting.moves) {
    moves.moves.push_back({owned(pair.first), owned(pair.second), users});
  }
  std::stable_sort(moves.moves.begin(), moves.moves.end(), [](const Move& left, const Move& right) {
    return left.users > right.users;
  });
  return moves;
}

}  // namespace

Result<std::vector<FlagMoves>> compare_users(const Datafile& before,
                                             const Datafile& after,
                                             const std::vector<std::string>& flag_keys,
                                             CrowdReader& crowd,
                                             const OnMoved& on_moved) {
  std::vector<Counting> countings;
  for (const Flag& flag : before.flags) {
    if (before.find_flag(flag.key) == &flag && after.find_flag(flag.key) != nullptr &&
        is_asked(flag_keys, flag.key)) {
      countings.push_back({.before = &flag});
    }
  }
  const Circumstances circumstances{.options = {.exclude_variables = true}};
  crowd.start_over();
  while (true) {
    const auto user = crowd.next();
    if (!user) {
      return Failure(user.error());
    }
    if (*user == nullptr) {
      break;
    }
    Decider old_decider(before, **user, circumstances);
    Decider new_decider(after, **user, circumstances);
    for (Counting& counting : countings) {
      const Decision old_one = old_decider.decide(counting.before->key);
      const Decision new_one = new_decider.decide(counting.before->key);
      ++counting.users;
      ++counting.moves[{old_one.variation_key, new_one.variation_key}];
      if (old_one.variation_key != new_one.variation_key ||
          old_one.is_enabled != new_one.is_enabled) {
        ++counting.moved;
        on_moved(counting.before->key, (*user)->id, old_one.variation_key, new_one.variation_key);
      }
    }
  }
  std::vector<FlagMoves> all;
  for (const Counting& counting : countings) {
    all.push_back(moves_of(counting));
  }
  return all;
}

}  // namespace edge::flags
