// SPDX-License-Identifier: MIT
#include "core/profiles/segments/filter.h"

#include <utility>

#include "core/profiles/segments/expression.h"

namespace edge::profiles {

Result<ProfileFilter> ProfileFilter::parse(std::string_view expression,
                                           const SegmentRegistry& segments) {
  ProfileFilter filter;
  filter.list_ = segments.current();
  filter.switched_off_ = &segments.switched_off();
  if (expression.empty()) {
    filter.takes_all_ = true;
    return filter;
  }
  auto tree = tree_of(expression);
  if (!tree) {
    return Failure(tree.error());
  }
  filter.tree_ = std::move(*tree);
  return filter;
}

Result<void> ProfileFilter::check(std::string_view expression) {
  return expression.empty() ? Result<void>() : tree_of(expression).map([](const Node&) {});
}

Result<Node> ProfileFilter::tree_of(std::string_view expression) {
  auto tree = parse_expression(expression);
  if (!tree) {
    return tree;
  }
  bool asks_events = false;
  for_each_leaf(*tree, [&](const Leaf& leaf) { asks_events = asks_events || leaf.needs_events(); });
  if (asks_events) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "a filter of profiles cannot count events; define a segment and ask "
                               "for segment(\"its name\")",
                    .field = "where",
                    .reason = "bad_expression"});
  }
  return tree;
}

bool ProfileFilter::takes(const Profile& profile, Time now) const {
  if (takes_all_) {
    return true;
  }
  static const Segment kNone;
  Assessor assessor(*list_->book, *switched_off_);
  return evaluate(tree_, [&](const Leaf& leaf) {
           return assessor.evaluate_leaf(kNone, leaf, profile, now).truth;
         }) == Truth::True;
}

Result<ObjectFilter> ObjectFilter::parse(std::string_view expression, Regex regex) {
  auto tree =
      parse_expression(expression, {.allow_regex = static_cast<bool>(regex), .only_paths = true});
  if (!tree) {
    return Failure(tree.error());
  }
  ObjectFilter filter;
  filter.tree_ = std::move(*tree);
  filter.regex_ = std::move(regex);
  return filter;
}

std::vector<std::string> ObjectFilter::patterns() const {
  std::vector<std::string> found;
  for_each_leaf(tree_, [&](const Leaf& leaf) {
    if (leaf.comparison.match == Match::Regex) {
      found.push_back(leaf.comparison.value.text);
    }
  });
  return found;
}

bool ObjectFilter::takes(json::Value object, Time now) const {
  return evaluate(tree_, [&](const Leaf& leaf) {
           const auto value = at_path(object, leaf.name);
           if (leaf.comparison.match == Match::Regex) {
             const auto text = value ? value->as_string() : std::nullopt;
             return text ? truth_of(regex_(leaf.comparison.value.text, *text)) : Truth::Undecided;
           }
           Time next = Time::max();
           return compare(value, leaf.comparison, now, next);
         }) == Truth::True;
}

}  // namespace edge::profiles
