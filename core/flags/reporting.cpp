// SPDX-License-Identifier: MIT
#include "core/flags/reporting.h"

#include "core/flags/datafile.h"
#include "core/flags/rule_compiler.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

std::string copied(json::Value root, std::string_view name) {
  std::string out;
  if (const auto member = root.find(name)) {
    json::javascript::append_json(out, *member);
  }
  return out;
}

bool is_true(json::Value root, std::string_view name) {
  const auto member = root.find(name);
  return member && json::javascript::is_truthy(*member);
}

}  // namespace

void compile_reporting(Datafile& datafile, RuleCompiler& rules) {
  const json::Value root = datafile.root();
  Reporting& reporting = datafile.reporting;
  const auto region = root.find("region");
  reporting.is_european = region && region->as_string() == "EU";
  reporting.sends_flag_decisions = is_true(root, "sendFlagDecisions");
  reporting.anonymizes_ip = is_true(root, "anonymizeIP");
  if (const auto filtering = root.find("botFiltering")) {
    reporting.bot_filtering = filtering->as_bool();
  }
  reporting.account_id = copied(root, "accountId");
  reporting.project_id = copied(root, "projectId");
  reporting.revision = copied(root, "revision");
  for (const json::Value entry : RuleCompiler::list(root, "attributes")) {
    reporting.attribute_ids[rules.id_of(entry, "key")] = rules.id_of(entry, "id");
  }
  for (const json::Value entry : RuleCompiler::list(root, "events")) {
    reporting.event_ids[rules.id_of(entry, "key")] = rules.id_of(entry, "id");
  }
}

}  // namespace edge::flags
