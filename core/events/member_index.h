// SPDX-License-Identifier: MIT
// Members of objects by name. Whoever sends an event chooses how many there are and what they are
// called, so n of them must cost n log n comparisons whatever their names: they are sorted. (Going
// through all for each one is quadratic; a table of hashes can be flooded.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json/document.h"

namespace edge::events {

/// Members laid over each other: of equal names the value of the last at the place of the first.
/// `less` compares names.
template <typename Less = std::less<std::string_view>>
std::vector<json::Member> last_of_equal(const std::vector<json::Member>& members, Less less = {}) {
  if (members.size() < 2) {
    return members;
  }
  std::vector<std::size_t> order(members.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    return less(members[left].name, members[right].name);
  });
  constexpr std::size_t kLeftOut = static_cast<std::size_t>(-1);
  std::vector<std::size_t> value_of(members.size(), kLeftOut);
  std::size_t first = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && less(members[order[i - 1]].name, members[order[i]].name)) {
      first = i;
    }
    value_of[order[first]] = order[i];
  }
  std::vector<json::Member> kept;
  kept.reserve(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (value_of[i] != kLeftOut) {
      kept.push_back({members[i].name, members[value_of[i]].value});
    }
  }
  return kept;
}

/// Finds members of one object for whoever asks for many. Immutable; views into the object.
template <typename Less = std::less<std::string_view>>
class MemberIndex {
 public:
  explicit MemberIndex(std::optional<json::Value> object, Less less = {}) : less_(std::move(less)) {
    for (const auto& member : object ? object->members() : json::Members{}) {
      members_.push_back(member);
    }
    std::sort(members_.begin(), members_.end(), [this](const auto& left, const auto& right) {
      return less_(left.name, right.name);
    });
  }

  [[nodiscard]] std::optional<json::Value> find(std::string_view name) const {
    const auto found = std::lower_bound(
        members_.begin(), members_.end(), name, [this](const auto& member, std::string_view text) {
          return less_(member.name, text);
        });
    return found != members_.end() && !less_(name, found->name) ? std::optional(found->value)
                                                                : std::nullopt;
  }

 private:
  Less less_;
  std::vector<json::Member> members_;
};

}  // namespace edge::events
