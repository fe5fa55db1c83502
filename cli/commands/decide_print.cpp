// SPDX-License-Identifier: MIT
#include "cli/commands/decide_print.h"

#include <fmt/format.h>

#include "cli/commands/decide_explain.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return std::string(member ? member->as_string().value_or("-") : "-");
}

bool is_on(json::Value decision) {
  const auto enabled = decision.find("enabled");
  return enabled && enabled->as_bool().value_or(false);
}

std::string compact(json::Value value) {
  const auto raw = value.raw();
  const bool is_compact = raw.find_first_of("\n\r\t") == std::string_view::npos;
  return is_compact ? std::string(raw) : json::pretty(value);
}

}  // namespace

std::string outcome_json(const Outcome& outcome) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : outcome.document.members()) {
    if (name != "decisions" && name != "savedProfile") {
      out.key(name).value(value);
    }
  }
  out.key("decisions").begin_array();
  for (const json::Value decision : outcome.decisions) {
    out.value(decision);
  }
  out.end_array();
  if (!outcome.verdicts.empty()) {
    out.key("expectations").begin_array();
    for (const auto& [text, verdict] : outcome.verdicts) {
      out.begin_object().member("expectation", text).member("got", verdict.got);
      out.member("ok", verdict.is_met).end_object();
    }
    out.end_array();
  }
  return out.end_object().take();
}

std::string outcome_text(const Outcome& outcome, const Layout& layout, bool ascii) {
  std::vector<std::vector<std::string>> rows{{"FLAG", "STATE", "VARIATION", "RULE", "VARIABLES"}};
  std::string reasons;
  std::string walks;
  for (const json::Value decision : outcome.decisions) {
    const std::string key = text_of(decision, "flagKey");
    rows.push_back({key,
                    is_on(decision) ? "on" : "off",
                    text_of(decision, "variationKey"),
                    text_of(decision, "ruleKey"),
                    compact(*decision.find("variables"))});
    for (const json::Value reason : decision.find("reasons")->elements()) {
      reasons += fmt::format("{}: {}\n", key, reason.as_string().value_or(""));
    }
    if (decision.find("explanation")) {
      walks += "\n" + explanation_text(decision, ascii);
    }
  }
  std::string text;
  if (outcome.verdicts.empty()) {
    text = render_table(rows, layout) + reasons;
  }
  text += walks;
  if (!outcome.verdicts.empty()) {
    std::vector<std::vector<std::string>> checks{{"EXPECTATION", "GOT", "RESULT"}};
    for (const auto& [expectation, verdict] : outcome.verdicts) {
      checks.push_back({expectation, verdict.got, verdict.is_met ? "ok" : "FAIL"});
    }
    text += (text.empty() ? "" : "\n") + render_table(checks, layout);
  }
  return text;
}

std::vector<Check> checks_of(const Outcome& outcome) {
  std::vector<Check> checks;
  for (const auto& [text, verdict] : outcome.verdicts) {
    checks.push_back(
        {.suite = "decide for " + text_of(outcome.document, "userId"),
         .name = text,
         .passed = verdict.is_met,
         .message = verdict.is_met ? "" : fmt::format("{} is not met: got {}", text, verdict.got)});
  }
  return checks;
}

}  // namespace edge::cli::commands
