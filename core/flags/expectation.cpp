// SPDX-License-Identifier: MIT
#include "core/flags/expectation.h"

#include <charconv>
#include <optional>
#include <regex>

#include "core/json/document.h"

namespace edge::flags {
namespace {

using Operator = Expectation::Operator;
using Subject = Expectation::Subject;

constexpr std::string_view kVariable = ".var.";

Error invalid(std::string_view text, std::string_view why) {
  return {.code = ErrorCode::InvalidArgument,
          .message = "expectation \"" + std::string(text) + "\" " + std::string(why),
          .reason = "invalid_expectation"};
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = path.find('.');
    parts.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) {
      return parts;
    }
    path.remove_prefix(dot + 1);
  }
}

bool take_suffix(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) {
    return false;
  }
  text.resize(text.size() - suffix.size());
  return true;
}

/// Splits what stands left of the operator into flag and subject.
void read_subject(Expectation& expectation, std::string_view left) {
  expectation.flag_key = left;
  const std::size_t variable = left.find(kVariable);
  if (variable != std::string_view::npos) {
    expectation.subject = Subject::Variable;
    expectation.flag_key = left.substr(0, variable);
    expectation.path = split(left.substr(variable + kVariable.size()));
  } else if (take_suffix(expectation.flag_key, ".enabled")) {
    expectation.subject = Subject::Enabled;
  } else if (take_suffix(expectation.flag_key, ".rule")) {
    expectation.subject = Subject::Rule;
  } else {
    expectation.subject = Subject::Variation;
  }
}

bool is_regex(const std::string& text) {
  try {
    const std::regex compiled(text, std::regex::ECMAScript);
    return true;
  } catch (const std::regex_error&) {
    return false;
  }
}

/// The member or element that a part of the path names.
std::optional<json::Value> step(json::Value value, const std::string& part) {
  if (value.is_object()) {
    return value.find(part);
  }
  std::uint32_t index = 0;
  const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), index);
  return failed == std::errc{} && end == part.data() + part.size() ? value.at(index) : std::nullopt;
}

std::string shown(json::Value value) {
  const auto text = value.as_string();
  return std::string(text ? *text : value.raw());
}

/// `true` for 5 and 5.0, and for JSON values that differ in white space or member order only.
bool same_value(const std::string& got, const std::string& wanted) {
  if (got == wanted) {
    return true;
  }
  const auto left = json::Document::parse(got, json::kDecision);
  const auto right = json::Document::parse(wanted, json::kDecision);
  return left && right && json::equal(left->root(), right->root());
}

}  // namespace

Result<Expectation> parse_expectation(std::string_view text) {
  Expectation expectation{.text = std::string(text)};
  const std::size_t sign = text.find_first_of("=~");
  if (sign == std::string_view::npos) {
    const bool is_off = text.starts_with('!');
    expectation.flag_key = text.substr(is_off ? 1 : 0);
    expectation.value = is_off ? "false" : "true";
  } else {
    const bool is_negated = text[sign] == '=' && sign > 0 && text[sign - 1] == '!';
    expectation.comparison = text[sign] == '~' ? Operator::Matches
                             : is_negated      ? Operator::NotEqual
                                               : Operator::Equal;
    expectation.value = text.substr(sign + 1);
    read_subject(expectation, text.substr(0, is_negated ? sign - 1 : sign));
  }
  if (expectation.flag_key.empty()) {
    return Failure(invalid(text, "names no flag"));
  }
  if (expectation.subject == Subject::Variable && expectation.path.front().empty()) {
    return Failure(invalid(text, "names no variable"));
  }
  if (expectation.comparison == Operator::Matches && !is_regex(expectation.value)) {
    return Failure(invalid(text, "holds no valid regular expression"));
  }
  return expectation;
}

Verdict judge(const Expectation& expectation, const Decision& decision) {
  Verdict verdict;
  switch (expectation.subject) {
    case Subject::Enabled:
      verdict.got = decision.is_enabled ? "true" : "false";
      break;
    case Subject::Variation:
      verdict.got = decision.variation_key.value_or("null");
      break;
    case Subject::Rule:
      verdict.got = decision.rule_key.value_or("null");
      break;
    case Subject::Variable: {
      const auto document = json::Document::parse(decision.variables, json::kDecision);
      std::optional<json::Value> value;
      if (document) {
        value = document->root();
      }
      for (const std::string& part : expectation.path) {
        value = value ? step(*value, part) : std::nullopt;
      }
      verdict.got = value ? shown(*value) : "(none)";
      break;
    }
  }
  switch (expectation.comparison) {
    case Operator::Equal:
    case Operator::NotEqual: {
      const bool is_same = expectation.subject == Subject::Variable
                               ? same_value(verdict.got, expectation.value)
                               : verdict.got == expectation.value;
      verdict.is_met = is_same == (expectation.comparison == Operator::Equal);
      break;
    }
    case Operator::Matches:
      verdict.is_met =
          std::regex_search(verdict.got, std::regex(expectation.value, std::regex::ECMAScript));
      break;
  }
  return verdict;
}

}  // namespace edge::flags
