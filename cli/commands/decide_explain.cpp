// SPDX-License-Identifier: MIT
#include "cli/commands/decide_explain.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace edge::cli::commands {
namespace {

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return std::string(member ? member->as_string().value_or("") : "");
}

bool is_true(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->as_bool().value_or(false);
}

/// `4 211`: thousands apart, as one says it.
std::string spaced(json::Value number) {
  const auto value = static_cast<std::uint64_t>(number.as_double().value_or(0));
  return value >= 1000 ? fmt::format("{} {:03}", value / 1000, value % 1000)
                       : fmt::format("{}", value);
}

std::string in_words(std::string_view finding, const std::string& variation) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kWords{{
      {"forced", "forced into"},
      {"override", "overridden to"},
      {"whitelist", "listed by name for"},
      {"sticky", "remembered as"},
      {"bucketed", "bucketed into"},
      {"not_running", "is not running"},
      {"wrong_audience", "the audience does not match"},
      {"bandit", "asks a prediction service, which is not available offline"},
      {"other_turn", "another experiment of the group has the user"},
      {"no_traffic", "the user is outside its traffic"},
  }};
  for (const auto& [name, words] : kWords) {
    if (name == finding) {
      return variation.empty() ? std::string(words) : fmt::format("{} {}", words, variation);
    }
  }
  return std::string(finding);
}

class Walk {
 public:
  explicit Walk(bool ascii) : ascii_(ascii) {}

  std::string text(json::Value decision) {
    const std::string variation = text_of(decision, "variationKey");
    const std::string rule = text_of(decision, "ruleKey");
    out_ = fmt::format("{}: {}{}{}\n",
                       text_of(decision, "flagKey"),
                       is_true(decision, "enabled") ? "on" : "off",
                       variation.empty() ? "" : ", variation " + variation,
                       rule.empty() ? "" : ", rule " + rule);
    const json::Value explanation = *decision.find("explanation");
    for (const json::Value step : explanation.find("steps")->elements()) {
      add_step(step);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string_view sign(std::optional<json::Value> result) const {
    if (!result || result->is_null()) {
      return "?";
    }
    const bool yes = result->as_bool().value_or(false);
    if (ascii_) {
      return yes ? "+" : "-";
    }
    return yes ? "✓" : "✗";
  }

  void line(std::size_t depth, std::string_view mark, std::string_view text) {
    out_.append(2 * depth, ' ');
    out_ += fmt::format("{} {}\n", mark, text);
  }

  void add_step(json::Value step) {
    const std::string variation = text_of(step, "variationKey");
    std::string kind = text_of(step, "kind");
    kind = kind == "local_holdout" ? "local holdout" : kind;
    const std::string rule = text_of(step, "ruleKey");
    const bool gave = step.find("variationKey") && !step.find("variationKey")->is_null();
    const std::string_view yes = ascii_ ? "+" : "✓";
    const std::string_view no = ascii_ ? "-" : "✗";
    line(1,
         gave ? yes : no,
         fmt::format("{}{}: {}",
                     kind,
                     rule.empty() ? "" : " " + rule,
                     in_words(text_of(step, "finding"), variation)));
    if (const auto audience = step.find("audience")) {
      if (const auto conditions = audience->find("conditions")) {
        add_condition(*conditions, 3);
      } else {
        line(3, yes, "everybody");
      }
    }
    if (const auto group = step.find("groupBucket")) {
      out_ += fmt::format(
          "      group {}: bucket {} of 10 000\n", text_of(step, "groupId"), spaced(*group));
    }
    if (const auto bucket = step.find("bucket")) {
      add_bucket(*bucket, *step.find("ranges"));
    }
  }

  void add_bucket(json::Value bucket, json::Value ranges) {
    out_ += fmt::format("      bucket {} of 10 000", spaced(bucket));
    const double value = bucket.as_double().value_or(0);
    std::string_view separator = ": ";
    for (const json::Value range : ranges.elements()) {
      const json::Value from = *range.find("from");
      const json::Value to = *range.find("to");
      const bool is_hit =
          value >= from.as_double().value_or(0) && value < to.as_double().value_or(0);
      const std::string variation = text_of(range, "variationKey");
      out_ += fmt::format("{}{}{} to {} {}{}",
                          separator,
                          is_hit ? "[" : "",
                          spaced(from),
                          spaced(to),
                          variation.empty() ? "(none)" : variation,
                          is_hit ? "]" : "");
      separator = ", ";
    }
    out_ += '\n';
  }

  void add_condition(json::Value node, std::size_t depth) {
    const auto result = node.find("result");
    if (const auto operands = node.find("operands")) {
      const std::string operation = text_of(node, "operator");
      // A list of one says nothing more than its element.
      if (operands->size() == 1 && operation != "not") {
        return add_condition(*operands->at(0), depth);
      }
      line(depth,
           sign(result),
           operation == "and"  ? "all of"
           : operation == "or" ? "any of"
                               : "not");
      for (const json::Value operand : operands->elements()) {
        add_condition(operand, depth + 1);
      }
      return;
    }
    if (node.find("audience")) {
      line(depth, sign(result), fmt::format("audience \"{}\"", text_of(node, "audience")));
      return add_condition(*node.find("conditions"), depth + 1);
    }
    if (node.find("segment")) {
      return line(depth, sign(result), fmt::format("segment \"{}\"", text_of(node, "segment")));
    }
    if (!node.find("attribute")) {
      return line(depth, sign(result), "a condition that is not understood");
    }
    const auto value = node.find("value");
    const auto seen = node.find("seen");
    line(depth,
         sign(result),
         fmt::format("{} {}{}   seen {}",
                     text_of(node, "attribute"),
                     text_of(node, "match"),
                     value ? " " + std::string(value->raw()) : "",
                     seen ? std::string(seen->raw()) : "nothing"));
  }

  bool ascii_;
  std::string out_;
};

}  // namespace

std::string explanation_text(json::Value decision, bool ascii) {
  return Walk(ascii).text(decision);
}

}  // namespace edge::cli::commands
