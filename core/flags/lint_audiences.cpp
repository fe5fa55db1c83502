// SPDX-License-Identifier: MIT
// Conditions of audiences. Those of older audiences are a text of JSON inside the datafile: what is
// wrong in them is reported at the text.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/flags/linter.h"
#include "core/flags/user.h"
#include "core/json/javascript.h"
#include "core/json/semver.h"

namespace edge::flags {
namespace {

constexpr std::array<std::string_view, 4> kOrders{"gt", "ge", "lt", "le"};
constexpr std::array<std::string_view, 3> kOthers{"exists", "exact", "substring"};
constexpr std::array<std::string_view, 5> kVersions{
    "semver_eq", "semver_gt", "semver_ge", "semver_lt", "semver_le"};

template <typename List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_usable_number(const Scalar& value) {
  return value.kind == Scalar::Kind::Number && std::abs(value.number) <= kLargestNumber;
}

}  // namespace

void Linter::check_audiences() {
  for (const json::Value audience : list_of(document_.root(), "typedAudiences")) {
    const auto conditions = audience.find("conditions");
    if (!conditions) {
      error(
          "missing_member", audience, "audience \"{}\" has no conditions", text_of(audience, "id"));
    } else {
      check_conditions(*conditions, std::nullopt);
    }
  }
  for (const json::Value audience : list_of(document_.root(), "audiences")) {
    const auto conditions = audience.find("conditions");
    const auto text = conditions ? conditions->as_string() : std::nullopt;
    if (!text) {
      error("wrong_type",
            conditions ? *conditions : audience,
            "conditions of audience \"{}\" are not a text of JSON",
            text_of(audience, "id"));
      continue;
    }
    const auto document = json::Document::parse(*text, json::kDecision);
    if (!document) {
      error("bad_json", *conditions, "conditions: {}", document.error().message);
    } else if (text_of(audience, "id") != "$opt_dummy_audience") {
      check_conditions(document->root(), *conditions);
    }
  }
}

/// `place` is where to report when the tree is not part of the datafile's own text.
void Linter::check_conditions(json::Value tree, std::optional<json::Value> place) {
  if (!tree.is_array()) {
    return check_leaf(tree, place.value_or(tree));
  }
  const auto first = tree.at(0);
  const auto name = first ? first->as_string() : std::nullopt;
  if (name && name != "and" && name != "or" && name != "not") {
    error("bad_condition", place.value_or(*first), "\"{}\" is none of and, or, not", *name);
  } else if (name == "not" && tree.size() != 2) {
    error("bad_condition", place.value_or(tree), "\"not\" looks at one condition");
  }
  bool is_first = true;
  for (const json::Value element : tree.elements()) {
    if (!is_first || !name) {
      check_conditions(element, place);
    }
    is_first = false;
  }
}

void Linter::check_leaf(json::Value leaf, json::Value place) {
  if (!leaf.is_object()) {
    return error("bad_condition", place, "a condition is an object; this is never true");
  }
  const std::string type = text_of(leaf, "type");
  if (type == "third_party_dimension") {
    const auto match = leaf.find("match");
    if (match && match->as_string() != "qualified") {
      error("unknown_match", place, "\"{}\" is no match of a segment", text_of(leaf, "match"));
    }
    if (!leaf.find("value") || !leaf.find("value")->is_string()) {
      error("bad_condition", place, "a segment is named by a text in value");
    }
    return;
  }
  if (type != "custom_attribute") {
    return error("unknown_match", place, "\"{}\" is no type of condition", type);
  }
  const std::string name = text_of(leaf, "name");
  if (name.empty()) {
    error("bad_condition", place, "a condition has no name of an attribute");
  } else if (!attributes_.contains(name) && !name.starts_with("$opt_")) {
    warn("unlisted_attribute", place, "attribute \"{}\" is not in attributes", name);
  }
  check_match(leaf, place);
}

void Linter::check_match(json::Value leaf, json::Value place) {
  const auto given = leaf.find("match");
  const std::string match = given ? text_of(leaf, "match") : "exact";
  if (!holds(kOrders, match) && !holds(kOthers, match) && !holds(kVersions, match)) {
    return error("unknown_match", place, "\"{}\" is no match; it is never true", match);
  }
  if (match == "exists") {
    return;
  }
  const auto written = leaf.find("value");
  const Scalar value = written ? scalar_of(*written) : Scalar{};
  const bool is_text = value.kind == Scalar::Kind::Text;
  if (holds(kOrders, match) && !is_usable_number(value)) {
    error("bad_condition", place, "{} compares with a number up to 2^53", match);
  } else if (match == "substring" && !is_text) {
    error("bad_condition", place, "substring compares with a text");
  } else if (holds(kVersions, match) && !(is_text && json::parse_version(value.text))) {
    error("bad_condition", place, "{} compares with a version", match);
  } else if (match == "exact" && !is_text && value.kind != Scalar::Kind::Bool &&
             !is_usable_number(value)) {
    error("bad_condition", place, "exact compares with a text, a boolean or a number up to 2^53");
  }
}

}  // namespace edge::flags
