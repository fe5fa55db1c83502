// SPDX-License-Identifier: MIT
#include "core/flags/lint.h"

#include <algorithm>
#include <charconv>

#include "core/flags/datafile.h"
#include "core/flags/linter.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

/// The number behind a word of a message.
std::size_t number_behind(std::string_view message, std::string_view word) {
  const std::size_t at = message.rfind(word);
  std::size_t number = 1;
  if (at != std::string_view::npos) {
    const std::string_view rest = message.substr(at + word.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), number);
  }
  return number;
}

/// What the reader of JSON says ends in "at line L column C".
LintProblem unreadable(const Error& error) {
  const std::size_t place = error.message.rfind(" at line ");
  return {.line = number_behind(error.message, " at line "),
          .column = number_behind(error.message, " column "),
          .code = error.reason == "duplicate_member" ? "duplicate_member" : "bad_json",
          .message = error.message.substr(0, place)};
}

}  // namespace

json::Elements list_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->elements() : json::Elements{};
}

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member && (member->is_string() || member->is_number()) ? json::javascript::text_of(*member)
                                                                : std::string{};
}

Linter::Linter(const json::Document& document) : document_(document) {
  const std::string_view text = document.text();
  line_starts_.push_back(0);
  for (std::size_t at = text.find('\n'); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

void Linter::add(bool is_error, std::string_view code, json::Value place, std::string message) {
  const auto offset = static_cast<std::size_t>(place.raw().data() - document_.text().data());
  const auto behind = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  problems_.push_back({.line = static_cast<std::size_t>(behind - line_starts_.begin()),
                       .column = offset - *(behind - 1) + 1,
                       .is_error = is_error,
                       .code = code,
                       .message = std::move(message)});
}

std::vector<LintProblem> Linter::run() {
  if (!document_.root().is_object()) {
    error("wrong_type", document_.root(), "a datafile is a JSON object");
    return std::move(problems_);
  }
  check_top();
  collect();
  check_flags();
  check_rules();
  check_groups();
  check_holdouts();
  check_audiences();
  check_events();
  check_used();
  check_loading();
  std::stable_sort(problems_.begin(), problems_.end(), [](const auto& left, const auto& right) {
    return std::pair(left.line, left.column) < std::pair(right.line, right.column);
  });
  return std::move(problems_);
}

void Linter::check_top() {
  const json::Value root = document_.root();
  if (!root.find("revision")) {
    error("missing_member", root, "the datafile has no revision, so that nothing is decided");
  }
  check_list("featureFlags", {"id", "key"});
  check_list("experiments", {"id", "key"});
  check_list("groups", {"id"});
  check_list("rollouts", {"id"});
  check_list("audiences", {"id"});
  check_list("typedAudiences", {"id"});
  check_list("attributes", {"id", "key"});
  check_list("events", {"id", "key"});
  check_list("holdouts", {"id", "key"});
  check_list("localHoldouts", {"id", "key"});
  check_unique("featureFlags", "key", "flag");
  check_unique("experiments", "id", "experiment");
  check_unique("audiences", "id", "audience");
  check_unique("typedAudiences", "id", "audience");
  check_unique("attributes", "key", "attribute");
  check_unique("events", "key", "event");
  check_unique("rollouts", "id", "rollout");
  check_unique("groups", "id", "group");
}

/// A list of objects, each with these members as text.
void Linter::check_list(std::string_view name, std::initializer_list<std::string_view> members) {
  const auto list = document_.root().find(name);
  if (!list || list->is_null()) {
    return;
  }
  if (!list->is_array()) {
    return error("wrong_type", *list, "{} is not a list", name);
  }
  for (const json::Value entry : list->elements()) {
    if (!entry.is_object()) {
      error("wrong_type", entry, "an entry of {} is not an object", name);
      continue;
    }
    for (const std::string_view member : members) {
      const auto value = entry.find(member);
      if (!value) {
        error("missing_member", entry, "an entry of {} has no {}", name, member);
      } else if (!value->is_string()) {
        error("wrong_type", *value, "{} of an entry of {} is not a text", member, name);
      }
    }
  }
}

void Linter::check_unique(std::string_view list, std::string_view member, std::string_view what) {
  std::set<std::string> seen;
  for (const json::Value entry : list_of(document_.root(), list)) {
    const std::string text = text_of(entry, member);
    if (!text.empty() && !seen.insert(text).second) {
      error("duplicate_key",
            *entry.find(member),
            "another {} has the {} \"{}\"; the last one counts",
            what,
            member,
            text);
    }
  }
}

void Linter::collect_rule(json::Value rule) {
  rules_.try_emplace(text_of(rule, "id"), rule);
  for (const json::Value variation : list_of(rule, "variations")) {
    variations_.try_emplace(text_of(variation, "id"), variation);
  }
}

void Linter::collect() {
  const json::Value root = document_.root();
  const auto take = [this](json::Value experiment) {
    experiments_.try_emplace(text_of(experiment, "id"), experiment);
    collect_rule(experiment);
  };
  for (const json::Value experiment : list_of(root, "experiments")) {
    take(experiment);
  }
  for (const json::Value group : list_of(root, "groups")) {
    for (const json::Value experiment : list_of(group, "experiments")) {
      take(experiment);
    }
  }
  for (const json::Value rollout : list_of(root, "rollouts")) {
    rollouts_.try_emplace(text_of(rollout, "id"), rollout);
    for (const json::Value rule : list_of(rollout, "experiments")) {
      collect_rule(rule);
    }
  }
  for (const std::string_view list : {"holdouts", "localHoldouts"}) {
    for (const json::Value holdout : list_of(root, list)) {
      for (const json::Value variation : list_of(holdout, "variations")) {
        variations_.try_emplace(text_of(variation, "id"), variation);
      }
    }
  }
  for (const std::string_view list : {"typedAudiences", "audiences"}) {
    for (const json::Value audience : list_of(root, list)) {
      audiences_.try_emplace(text_of(audience, "id"), audience);
    }
  }
  for (const json::Value flag : list_of(root, "featureFlags")) {
    for (const json::Value variable : list_of(flag, "variables")) {
      variables_.try_emplace(text_of(variable, "id"), variable);
    }
  }
  for (const json::Value attribute : list_of(root, "attributes")) {
    attributes_.try_emplace(text_of(attribute, "key"), attribute);
    attribute_ids_.try_emplace(text_of(attribute, "id"), attribute);
  }
}

void Linter::check_events() {
  for (const json::Value event : list_of(document_.root(), "events")) {
    for (const json::Value id : list_of(event, "experimentIds")) {
      const std::string text = json::javascript::text_of(id);
      if (!rules_.contains(text)) {
        error("dangling_id",
              id,
              "event \"{}\" names experiment \"{}\", which does not exist",
              text_of(event, "key"),
              text);
      }
    }
  }
}

void Linter::check_used() {
  for (const auto& [id, audience] : audiences_) {
    if (!used_audiences_.contains(id) && id != "$opt_dummy_audience") {
      warn("unused_audience",
           audience,
           "audience \"{}\" ({}) is used by no rule",
           text_of(audience, "name"),
           id);
    }
  }
}

/// What the others have not found.
void Linter::check_loading() {
  const bool has_error = std::any_of(
      problems_.begin(), problems_.end(), [](const auto& problem) { return problem.is_error; });
  const auto datafile = load_datafile(document_.text());
  if (!datafile && !has_error) {
    const auto place = document_.root().at_pointer(datafile.error().field);
    error("invalid_datafile", place ? *place : document_.root(), "{}", datafile.error().message);
  }
}

std::vector<LintProblem> lint(std::string_view datafile) {
  json::Profile profile = json::kDecision;
  profile.refuse_duplicates = true;
  const auto strict = json::Document::parse(datafile, profile);
  if (strict) {
    return Linter(*strict).run();
  }
  std::vector<LintProblem> problems = {unreadable(strict.error())};
  const auto document = json::Document::parse(datafile, json::kDecision);
  if (document) {
    const auto more = Linter(*document).run();
    problems.insert(problems.end(), more.begin(), more.end());
  }
  return problems;
}

}  // namespace edge::flags
