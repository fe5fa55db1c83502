// SPDX-License-Identifier: MIT
// Expressions as filters: of profiles, and of events or any other JSON objects.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/profiles/profile.h"
#include "core/profiles/segments/registry.h"

namespace edge::profiles {

/// Takes the profiles for which an expression is true. It may look at traits, `profile.X`,
/// `identifier.X` and `segment("x")`; a question about events needs a segment. One thread only.
class ProfileFilter {
 public:
  /// An empty text takes every profile. Failure: InvalidArgument, reason `bad_expression`.
  static Result<ProfileFilter> parse(std::string_view expression, const SegmentRegistry& segments);
  /// Whether it could be parsed; where there are no segments at hand.
  static Result<void> check(std::string_view expression);

  [[nodiscard]] bool takes(const Profile& profile, Time now) const;

 private:
  ProfileFilter() = default;
  static Result<Node> tree_of(std::string_view expression);

  Node tree_ = {};
  bool takes_all_ = false;
  std::shared_ptr<const SegmentList> list_;
  const SwitchedOff* switched_off_ = nullptr;
};

/// Takes the JSON objects for which an expression is true; a path is looked up from the object's
/// root, so `properties.plan` is a property of an event. Immutable.
class ObjectFilter {
 public:
  /// Whether a text matches a pattern: for `path ~ "pattern"`. Whoever has no regular expressions
  /// passes nothing, and such filters are refused.
  using Regex = std::function<bool(const std::string& pattern, std::string_view text)>;

  /// Failure: InvalidArgument, reason `bad_expression`.
  static Result<ObjectFilter> parse(std::string_view expression, Regex regex = {});

  /// `now`: what relative times are seen from.
  [[nodiscard]] bool takes(json::Value object, Time now) const;
  /// The patterns it will ask about.
  [[nodiscard]] std::vector<std::string> patterns() const;

 private:
  Node tree_ = {};
  Regex regex_ = {};
};

}  // namespace edge::profiles
