// SPDX-License-Identifier: MIT
// The parts of `lint` (lint.h): what is known of the datafile, and the checks.
#pragma once

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/flags/lint.h"
#include "core/json/document.h"

namespace edge::flags {

/// One datafile under inspection. One thread only.
class Linter {
 public:
  explicit Linter(const json::Document& document);
  std::vector<LintProblem> run();

 private:
  using Ids = std::unordered_map<std::string, json::Value>;

  // --- lint.cpp
  void check_top();
  void check_list(std::string_view name, std::initializer_list<std::string_view> members);
  void collect();
  void collect_rule(json::Value rule);
  void check_unique(std::string_view list, std::string_view member, std::string_view what);
  void check_used();
  void check_events();
  void check_loading();

  // --- lint_rules.cpp
  void check_flags();
  void check_rules();
  void check_groups();
  void check_holdouts();
  void check_rule(json::Value rule);
  void check_variations(json::Value rule);
  void check_allocation(json::Value owner, const Ids& targets, std::string_view what);
  void check_audience_ids(json::Value rule);
  void check_audience_tree(json::Value tree);
  void check_rule_keys();

  // --- lint_audiences.cpp
  void check_audiences();
  void check_conditions(json::Value tree, std::optional<json::Value> place);
  void check_leaf(json::Value leaf, json::Value place);
  void check_match(json::Value leaf, json::Value place);

  // --- lint_values.cpp
  void check_variables(json::Value flag);
  void check_value(json::Value variable, json::Value value);

  template <typename... Parts>
  void error(std::string_view code,
             json::Value place,
             fmt::format_string<Parts...> format,
             Parts&&... parts) {
    add(true, code, place, fmt::format(format, std::forward<Parts>(parts)...));
  }
  template <typename... Parts>
  void warn(std::string_view code,
            json::Value place,
            fmt::format_string<Parts...> format,
            Parts&&... parts) {
    add(false, code, place, fmt::format(format, std::forward<Parts>(parts)...));
  }
  void add(bool is_error, std::string_view code, json::Value place, std::string message);

  const json::Document& document_;
  std::vector<std::size_t> line_starts_;
  std::vector<LintProblem> problems_;
  Ids experiments_;  // of the top level and of groups, by id
  Ids rules_;        // delivery rules too
  Ids rollouts_;
  Ids variations_;  // of the whole project
  Ids audiences_;
  Ids variables_;   // of all flags
  Ids attributes_;  // by key
  Ids attribute_ids_;
  std::set<std::string> used_audiences_;
};

/// The elements of a list member; none when it is absent or something else.
json::Elements list_of(json::Value object, std::string_view name);
/// A text or a number as text; empty when it is absent or something else.
std::string text_of(json::Value object, std::string_view name);

}  // namespace edge::flags
