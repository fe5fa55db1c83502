// SPDX-License-Identifier: MIT
#include "cli/commands/decide_print.h"

#include <fmt/format.h>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::cli::commands {

std::string outcome_json(const DatafileSource& source,
                         const std::string& user,
                         const std::string& attributes,
                         const Outcome& outcome) {
  json::Writer out;
  out.begin_object().member("schema", "edge.decide/1").member("userId", user);
  out.key("attributes").raw(attributes);
  out.key("source").begin_object().member("kind", source.kind);
  out.member("revision", source.datafile->revision);
  out.member("sha256", encoding::hex_encode(crypto::sha256(source.datafile->text())));
  out.member("from", source.from).end_object();
  out.key("decisions").begin_array();
  for (const flags::Decision& decision : outcome.decisions) {
    write(out, decision);
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

std::string outcome_text(const Outcome& outcome, const Layout& layout) {
  std::vector<std::vector<std::string>> rows{{"FLAG", "STATE", "VARIATION", "RULE", "VARIABLES"}};
  for (const flags::Decision& decision : outcome.decisions) {
    rows.push_back({std::string(decision.flag_key),
                    decision.is_enabled ? "on" : "off",
                    std::string(decision.variation_key.value_or("-")),
                    std::string(decision.rule_key.value_or("-")),
                    std::string(decision.variables)});
  }
  std::string text = render_table(rows, layout);
  for (const flags::Decision& decision : outcome.decisions) {
    for (const std::string& reason : decision.reasons) {
      text += fmt::format("{}: {}\n", decision.flag_key, reason);
    }
  }
  if (!outcome.verdicts.empty()) {
    std::vector<std::vector<std::string>> checks{{"EXPECTATION", "GOT", "RESULT"}};
    for (const auto& [expectation, verdict] : outcome.verdicts) {
      checks.push_back({expectation, verdict.got, verdict.is_met ? "ok" : "FAIL"});
    }
    text += "\n" + render_table(checks, layout);
  }
  return text;
}

}  // namespace edge::cli::commands
