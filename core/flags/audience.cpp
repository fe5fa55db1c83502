// SPDX-License-Identifier: MIT
#include "core/flags/audience.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/json/javascript.h"

namespace edge::flags {
namespace {

constexpr std::array<std::pair<std::string_view, Match>, 12> kMatches{{
    {"exists", Match::Exists},
    {"exact", Match::Exact},
    {"substring", Match::Substring},
    {"gt", Match::Gt},
    {"ge", Match::Ge},
    {"lt", Match::Lt},
    {"le", Match::Le},
    {"semver_eq", Match::SemverEq},
    {"semver_gt", Match::SemverGt},
    {"semver_ge", Match::SemverGe},
    {"semver_lt", Match::SemverLt},
    {"semver_le", Match::SemverLe},
}};

bool is_usable_number(const Scalar& scalar) {
  return scalar.kind == Scalar::Kind::Number && std::abs(scalar.number) <= kLargestNumber;
}

Truth truth_of(bool is_true) {
  return is_true ? Truth::True : Truth::False;
}

/// The `match` of a leaf; nothing when it is not in the list.
std::optional<Match> match_of(std::optional<json::Value> name) {
  if (!name) {
    return Match::Exact;
  }
  const auto text = name->as_string();
  for (const auto& [known, match] : kMatches) {
    if (text == known) {
      return match;
    }
  }
  return std::nullopt;
}

Truth evaluate_exact(const Scalar& wanted, const Scalar& found) {
  using Kind = Scalar::Kind;
  if (wanted.kind != found.kind) {
    return Truth::Unknown;
  }
  if (wanted.kind == Kind::Text) {
    return truth_of(wanted.text == found.text);
  }
  if (wanted.kind == Kind::Bool) {
    return truth_of(wanted.boolean == found.boolean);
  }
  if (is_usable_number(wanted) && is_usable_number(found)) {
    return truth_of(wanted.number == found.number);
  }
  return Truth::Unknown;
}

Truth evaluate_order(Match match, const Scalar& wanted, const Scalar& found) {
  if (!is_usable_number(wanted) || !is_usable_number(found)) {
    return Truth::Unknown;
  }
  switch (match) {
    case Match::Gt:
      return truth_of(found.number > wanted.number);
    case Match::Ge:
      return truth_of(found.number >= wanted.number);
    case Match::Lt:
      return truth_of(found.number < wanted.number);
    default:
      return truth_of(found.number <= wanted.number);
  }
}

Truth evaluate_version(const Condition& condition, const Scalar& found) {
  if (!condition.version || found.kind != Scalar::Kind::Text) {
    return Truth::Unknown;
  }
  const auto version = json::parse_version(found.text);
  if (!version) {
    return Truth::Unknown;
  }
  const int order = json::compare_versions(*version, *condition.version);
  switch (condition.match) {
    case Match::SemverEq:
      return truth_of(order == 0);
    case Match::SemverGt:
      return truth_of(order > 0);
    case Match::SemverGe:
      return truth_of(order >= 0);
    case Match::SemverLt:
      return truth_of(order < 0);
    default:
      return truth_of(order <= 0);
  }
}

}  // namespace

template <typename Leaf>
Conditions::Root Conditions::add_tree(json::Value tree, const Leaf& leaf) {
  const auto root = static_cast<Root>(nodes_.size());
  if (!tree.is_array()) {
    nodes_.push_back(leaf(tree));
    nodes_[root].end = root + 1;
    return root;
  }
  const auto first = tree.at(0);
  const auto name = first ? first->as_string() : std::nullopt;
  const Op op = name == "and" ? Op::And : name == "not" ? Op::Not : Op::Or;
  // An operator is not an operand; neither is, in the reference, a first element that is no text.
  const bool skips_first = !name || op != Op::Or || name == "or";
  nodes_.push_back({.op = op});
  bool is_first = true;
  for (const json::Value element : tree.elements()) {
    if (!is_first || !skips_first) {
      add_tree(element, leaf);
    }
    is_first = false;
  }
  nodes_[root].end = static_cast<Root>(nodes_.size());
  return root;
}

Conditions::Root Conditions::add_audience(json::Value tree) {
  return add_tree(tree, [this](json::Value leaf) { return audience_leaf(leaf); });
}

Conditions::Root Conditions::add_unknown() {
  const auto root = static_cast<Root>(nodes_.size());
  nodes_.push_back({.end = root + 1});
  return root;
}

Conditions::Root Conditions::add_rule(json::Value tree,
                                      const std::unordered_map<std::string_view, Root>& audiences) {
  return add_tree(tree, [this, &audiences](json::Value leaf) -> Node {
    const auto text = leaf.as_string();
    const auto found = text               ? audiences.find(*text)
                       : leaf.is_number() ? audiences.find(json::javascript::text_of(leaf))
                                          : audiences.end();
    if (found == audiences.end()) {
      return {};
    }
    const auto [known, is_new] =
        number_of_.try_emplace(found->second, static_cast<std::uint32_t>(audiences_.size()));
    if (is_new) {
      audiences_.push_back(found->second);
    }
    return {.op = Op::Audience, .payload = known->second};
  });
}

Conditions::Node Conditions::audience_leaf(json::Value leaf) {
  const auto type = leaf.find("type");
  const auto name = type ? type->as_string() : std::nullopt;
  if (name == "custom_attribute") {
    return attribute_leaf(leaf);
  }
  const auto match = leaf.find("match");
  if (name != "third_party_dimension" || (match && match->as_string() != "qualified")) {
    return {};
  }
  const auto value = leaf.find("value");
  const auto segment = value ? value->as_string() : std::nullopt;
  if (!segment) {
    return {.op = Op::False};
  }
  segments_.push_back(*segment);
  return {.op = Op::Segment, .payload = static_cast<std::uint32_t>(segments_.size() - 1)};
}

Conditions::Node Conditions::attribute_leaf(json::Value leaf) {
  const auto match = match_of(leaf.find("match"));
  if (!match) {
    return {};
  }
  const auto named = leaf.find("name");
  const auto name = named ? named->as_string() : std::nullopt;
  if (!name) {
    return {.op = *match == Match::Exists ? Op::False : Op::Unknown};
  }
  Condition condition{.match = *match};
  const auto [slot, is_new] = slot_by_name_.try_emplace(*name, slot_names_.size());
  if (is_new) {
    slot_names_.push_back(*name);
  }
  condition.slot = slot->second;
  if (const auto value = leaf.find("value")) {
    condition.value = scalar_of(*value);
  }
  if (*match >= Match::SemverEq && condition.value.kind == Scalar::Kind::Text) {
    condition.version = json::parse_version(condition.value.text);
  }
  conditions_.push_back(condition);
  return {.op = Op::Attribute, .payload = static_cast<std::uint32_t>(conditions_.size() - 1)};
}

std::optional<std::uint32_t> Conditions::slot_of(std::string_view name) const {
  const auto found = slot_by_name_.find(name);
  return found == slot_by_name_.end() ? std::nullopt : std::optional(found->second);
}

Subject::Subject(const Conditions& conditions, const User& user)
    : conditions_(conditions),
      user_(user),
      slots_(conditions.slots()),
      audiences_(conditions.audiences_.size()) {
  for (const Attribute& attribute : user.attributes) {
    if (const auto slot = conditions.slot_of(attribute.name)) {
      slots_[*slot] = &attribute.value;
    }
  }
}

Truth Subject::evaluate(Conditions::Root root) const {
  using Op = Conditions::Op;
  const auto& nodes = conditions_.nodes_;
  const Conditions::Node node = nodes[root];
  switch (node.op) {
    case Op::Unknown:
      return Truth::Unknown;
    case Op::False:
      return Truth::False;
    case Op::Attribute:
      return evaluate_attribute(conditions_.conditions_[node.payload]);
    case Op::Segment:
      return truth_of(is_qualified_for(conditions_.segments_[node.payload]));
    case Op::Audience:
      return evaluate_audience(node.payload);
    case Op::Not: {
      const Truth inner = root + 1 < node.end ? evaluate(root + 1) : Truth::Unknown;
      return inner == Truth::Unknown ? inner : truth_of(inner == Truth::False);
    }
    case Op::And:
    case Op::Or:
      break;
  }
  const Truth decisive = node.op == Op::And ? Truth::False : Truth::True;
  Truth result = truth_of(node.op == Op::And);
  for (Conditions::Root child = root + 1; child < node.end; child = nodes[child].end) {
    const Truth truth = evaluate(child);
    if (truth == decisive) {
      return decisive;
    }
    result = truth == Truth::Unknown ? truth : result;
  }
  return result;
}

Truth Subject::evaluate_audience(std::uint32_t number) const {
  Known& known = audiences_[number];
  if (known == Known::No) {
    const Truth truth = evaluate(conditions_.audiences_[number]);
    known = truth == Truth::True    ? Known::True
            : truth == Truth::False ? Known::False
                                    : Known::Unknown;
  }
  return known == Known::True ? Truth::True : known == Known::False ? Truth::False : Truth::Unknown;
}

Truth Subject::evaluate_attribute(const Condition& condition) const {
  const Scalar* found = slots_[condition.slot];
  const bool is_present = found != nullptr && found->kind != Scalar::Kind::Null;
  if (condition.match == Match::Exists) {
    return truth_of(is_present);
  }
  if (!is_present) {
    return Truth::Unknown;
  }
  if (condition.match == Match::Exact) {
    return evaluate_exact(condition.value, *found);
  }
  if (condition.match == Match::Substring) {
    const bool are_texts =
        condition.value.kind == Scalar::Kind::Text && found->kind == Scalar::Kind::Text;
    return are_texts ? truth_of(found->text.find(condition.value.text) != std::string_view::npos)
                     : Truth::Unknown;
  }
  if (condition.match >= Match::SemverEq) {
    return evaluate_version(condition, *found);
  }
  return evaluate_order(condition.match, condition.value, *found);
}

bool Subject::is_qualified_for(std::string_view segment) const {
  return std::find(user_.segments.begin(), user_.segments.end(), segment) != user_.segments.end();
}

}  // namespace edge::flags
