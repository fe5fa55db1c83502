// SPDX-License-Identifier: MIT
#include "core/flags/suite.h"

#include <fmt/format.h>

#include "core/flags/record.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

Error wrong(std::string message, std::string field) {
  return {.code = ErrorCode::InvalidArgument,
          .message = std::move(message),
          .field = std::move(field),
          .reason = "invalid_expectation"};
}

std::string shown(std::optional<json::Value> value) {
  return value ? std::string(value->raw()) : "(none)";
}

void compare(std::string_view flag,
             const std::string& member,
             json::Value expected,
             std::optional<json::Value> got,
             std::vector<Mismatch>& mismatches) {
  if (!got || !json::equal(expected, *got)) {
    mismatches.push_back({.flag_key = std::string(flag),
                          .member = member,
                          .expected = shown(expected),
                          .got = shown(got)});
  }
}

Result<void> compare_flag(std::string_view flag,
                          json::Value expected,
                          json::Value decision,
                          std::vector<Mismatch>& mismatches) {
  if (expected.is_bool()) {
    compare(flag, "enabled", expected, decision.find("enabled"), mismatches);
    return {};
  }
  if (expected.is_string() || expected.is_null()) {
    compare(flag, "variationKey", expected, decision.find("variationKey"), mismatches);
    return {};
  }
  if (!expected.is_object()) {
    return Failure(wrong(fmt::format("what is expected of \"{}\" must be an object, a boolean, a "
                                     "text or null",
                                     flag),
                         "/expect"));
  }
  for (const auto& [name, value] : expected.members()) {
    if (name == "variables" && value.is_object()) {
      const auto variables = decision.find("variables");
      for (const auto& [variable, wanted] : value.members()) {
        compare(flag,
                fmt::format("variables.{}", variable),
                wanted,
                variables ? variables->find(variable) : std::nullopt,
                mismatches);
      }
    } else if (name == "enabled" || name == "variationKey" || name == "ruleKey") {
      compare(flag, std::string(name), value, decision.find(name), mismatches);
    } else if (name != "reasons") {
      return Failure(wrong(fmt::format("\"{}\" of \"{}\" cannot be expected; there are enabled, "
                                       "variationKey, ruleKey and variables",
                                       name,
                                       flag),
                           "/expect"));
    }
  }
  return {};
}

/// The record without what asks for certain flags: all that are expected are asked for.
std::string question_of(json::Value expectation, json::Value expect) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : expectation.members()) {
    if (name != "key" && name != "keys" && name != "expect") {
      out.key(name).value(value);
    }
  }
  const bool is_single = expect.size() == 1;  // which ENABLED_FLAGS_ONLY never drops
  out.key(is_single ? "key" : "keys");
  if (!is_single) {
    out.begin_array();
  }
  for (const auto& [flag, wanted] : expect.members()) {
    out.string(flag);
  }
  if (!is_single) {
    out.end_array();
  }
  return out.end_object().take();
}

}  // namespace

std::string name_of(json::Value expectation) {
  for (const std::string_view member : {"name", "note", "userId"}) {
    const auto value = expectation.find(member);
    if (const auto text = value ? value->as_string() : std::nullopt) {
      return std::string(*text);
    }
  }
  return {};
}

Result<std::vector<Mismatch>> check_expectation(const Datafile& datafile, json::Value expectation) {
  const auto expect = expectation.find("expect");
  if (!expect || !expect->is_object()) {
    return Failure(wrong("an expectation needs an object \"expect\"", "/expect"));
  }
  const auto record =
      json::Document::parse(question_of(expectation, *expect), json::kDecision).value();
  json::Writer answer;
  answer.begin_object();
  if (const auto done = answer_record(datafile, record.root(), answer); !done) {
    return Failure(done.error());
  }
  const auto document = json::Document::parse(answer.end_object().text(), json::kDecision).value();
  const auto decisions = document.root().find("decisions");
  std::vector<Mismatch> mismatches;
  for (const auto& [flag, wanted] : expect->members()) {
    const auto decision = decisions->find(flag);
    if (!decision || datafile.find_flag(flag) == nullptr) {
      // ENABLED_FLAGS_ONLY drops what is off; an unknown flag is never as expected.
      const bool is_dropped = datafile.find_flag(flag) != nullptr;
      mismatches.push_back({.flag_key = std::string(flag),
                            .expected = shown(wanted),
                            .got = is_dropped ? "(left out)" : "(no such flag)"});
      continue;
    }
    if (auto done = compare_flag(flag, wanted, *decision, mismatches); !done) {
      return Failure(done.error());
    }
  }
  return mismatches;
}

bool fits(std::string_view pattern, std::string_view name) {
  if (pattern.find_first_of("*?") == std::string_view::npos) {
    return name.find(pattern) != std::string_view::npos;
  }
  // Greedy with one place to come back to: the last star.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

}  // namespace edge::flags
