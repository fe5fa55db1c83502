// SPDX-License-Identifier: MIT
// Looking at the flags of a datafile.
#include <fmt/format.h>

#include <optional>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/commands/datafile_source.h"
#include "cli/exit_code.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/encoding/percent.h"
#include "core/flags/view.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kListSchema = R"({
  "type": "object",
  "required": ["schema", "flags"],
  "properties": {
    "schema": {"const": "edge.flags/1"},
    "flags": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["key", "id", "type", "rules", "variations", "variables", "trafficPercent"],
        "properties": {
          "key": {"type": "string"},
          "id": {"type": "string"},
          "type": {"type": "string"},
          "rules": {"type": "integer"},
          "variations": {"type": "integer"},
          "variables": {"type": "integer"},
          "trafficPercent": {"type": "number"}
        }
      }
    }
  }
})";

constexpr std::string_view kShowSchema = R"({
  "type": "object",
  "required": ["schema", "key", "id", "revision", "variables", "variations", "rules", "holdouts"],
  "properties": {
    "schema": {"const": "edge.flag/1"},
    "key": {"type": "string"},
    "id": {"type": "string"},
    "revision": {"type": "string"},
    "variables": {"type": "array", "items": {"type": "object", "required": ["key", "type"]}},
    "variations": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["key", "id", "enabled", "variables"],
        "properties": {"enabled": {"type": "boolean"}, "variables": {"type": "object"}}
      }
    },
    "rules": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["kind", "key", "id", "status", "type", "audience", "traffic", "whitelist", "holdouts"],
        "properties": {
          "kind": {"enum": ["experiment", "delivery"]},
          "audience": {"type": "string"},
          "traffic": {
            "type": "array",
            "items": {
              "type": "object",
              "required": ["variationKey", "percent"],
              "properties": {"variationKey": {"type": ["string", "null"]}, "percent": {"type": "number"}}
            }
          }
        }
      }
    },
    "holdouts": {"type": "array", "items": {"type": "string"}}
  }
})";

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return std::string(member ? member->as_string().value_or("") : "");
}

Error bad_answer() {
  return {ErrorCode::Unavailable, "the daemon's answer is not what was asked for"};
}

/// The document from the daemon that `--url` names, or made here.
template <typename Make>
Result<std::string> document_of(Call& call, const std::string& target, const Make& make) {
  if (Remote* daemon = names_datafile(call) ? nullptr : call.asked_daemon()) {
    auto response = daemon->get(target);
    return response ? Result<std::string>(std::move(response->body))
                    : Result<std::string>(Failure(response.error()));
  }
  const auto source = datafile_of(call);
  return source ? make(*source) : Result<std::string>(Failure(source.error()));
}

Result<int> list_flags(Call& call) {
  const auto filter = call.has("where") ? std::optional(filter_of(call["where"])) : std::nullopt;
  if (filter && !*filter) {
    return Failure(filter->error());
  }
  const auto text = document_of(call, "/api/flags", [](const DatafileSource& source) {
    return Result<std::string>(flags::flag_list_document(*source.datafile));
  });
  if (!text) {
    return Failure(text.error());
  }
  const auto document = json::Document::parse(*text, json::kDecision);
  const auto list = document ? document->root().find("flags") : std::nullopt;
  if (!list) {
    return Failure(bad_answer());
  }
  Listing listing{.schema = "edge.flags/1",
                  .name = "flags",
                  .columns = {{"FLAG", "/key"},
                              {"TYPE", "/type"},
                              {"RULES", "/rules"},
                              {"VARIATIONS", "/variations"},
                              {"TRAFFIC %", "/trafficPercent"}}};
  for (const json::Value flag : list->elements()) {
    if (!filter || (*filter)->takes(flag, call.clock().now())) {
      listing.records.emplace_back(flag.raw());
    }
  }
  return call.print(listing);
}

void add_traffic(std::string& text, json::Value traffic, bool ascii) {
  constexpr std::size_t kBarWidth = 40;
  for (const json::Value share : traffic.elements()) {
    const std::string variation = text_of(share, "variationKey");
    const double percent = share.find("percent")->as_double().value_or(0);
    text += fmt::format("       {:<20} {:>6.2f} %  {}\n",
                        variation.empty() ? "(none)" : variation,
                        percent,
                        bar(percent / 100, kBarWidth, ascii));
  }
}

std::string joined(json::Value list) {
  std::string text;
  for (const json::Value element : list.elements()) {
    text += (text.empty() ? "" : ", ") + std::string(element.as_string().value_or(""));
  }
  return text;
}

std::string flag_text(json::Value flag, bool ascii) {
  std::string text = fmt::format("{}   id {}   revision {}\n",
                                 text_of(flag, "key"),
                                 text_of(flag, "id"),
                                 text_of(flag, "revision"));
  for (const json::Value variable : flag.find("variables")->elements()) {
    const auto value = variable.find("defaultValue");
    text += fmt::format("  variable {} ({}): {}\n",
                        text_of(variable, "key"),
                        text_of(variable, "type"),
                        value ? std::string(value->as_string().value_or(value->raw())) : "-");
  }
  if (const std::string holdouts = joined(*flag.find("holdouts")); !holdouts.empty()) {
    text += fmt::format("  holdouts: {}\n", holdouts);
  }
  std::size_t number = 0;
  for (const json::Value rule : flag.find("rules")->elements()) {
    const std::string status = text_of(rule, "status");
    text += fmt::format("\n  {:>2}. {} {}{}\n",
                        ++number,
                        text_of(rule, "kind"),
                        text_of(rule, "key"),
                        status.empty() ? "" : "   " + status);
    const std::string audience = text_of(rule, "audience");
    text += fmt::format("       for {}\n", audience.empty() ? "everybody" : audience);
    if (const std::string group = text_of(rule, "group"); !group.empty()) {
      text += fmt::format("       in the exclusion group {}\n", group);
    }
    if (const std::string holdouts = joined(*rule.find("holdouts")); !holdouts.empty()) {
      text += fmt::format("       except holdouts {}\n", holdouts);
    }
    for (const auto& [user, variation] : rule.find("whitelist")->members()) {
      text += fmt::format("       {} always gets {}\n", user, variation.as_string().value_or("-"));
    }
    add_traffic(text, *rule.find("traffic"), ascii);
  }
  return text;
}

Result<int> show_flag(Call& call) {
  const std::string key = call["FLAG"];
  int failed = exit_code::kDone;
  const auto text =
      document_of(call,
                  "/api/flags/" + encoding::percent_encode(key),
                  [&call, &key, &failed](const DatafileSource& source) -> Result<std::string> {
                    auto document = flags::flag_document(*source.datafile, key);
                    if (!document) {
                      failed = fail_unknown_flag(call, key, source);
                      return std::string{};
                    }
                    return *document;
                  });
  if (!text) {
    return Failure(text.error());
  }
  if (failed != exit_code::kDone) {
    return failed;
  }
  const auto document = json::Document::parse(*text, json::kDecision);
  if (!document || !document->root().find("rules")) {
    return Failure(bad_answer());
  }
  return call.print(
      Document{.json = *text, .human = flag_text(document->root(), call.flag("ascii"))});
}

}  // namespace

void flags(Tree& tree) {
  tree.noun("flags", Section::Build, "Feature flags of a datafile: look, check, try, compare");
  with_datafile_option(
      tree.command("flags list", "List flags with their rules and traffic")
          .about("--where sees key, id, type, rules, variations, variables and trafficPercent.")
          .option({.name = "where",
                   .value = "EXPR",
                   .help = "those for which this is true; see edgectl help expressions"}))
      .example("flags list --datafile flags.json", "every flag of a file")
      .example("flags list --datafile flags.json --where 'key ~ \"^checkout\" and rules > 1'",
               "some of them")
      .exits(exit_code::kBadInput, "the datafile cannot be used")
      .output("flags", kListSchema)
      .runs(list_flags);
  with_datafile_option(
      tree.command("flags show", "Show one flag: rules, audiences, traffic")
          .positional({.name = "FLAG", .help = "key of the flag", .required = true}))
      .example("flags show new_checkout --datafile flags.json", "how a flag decides")
      .exits(exit_code::kBadInput, "the datafile cannot be used")
      .exits(exit_code::kNotFound, "no such flag")
      .output("flag", kShowSchema)
      .see("edgectl decide --explain")
      .runs(show_flag);
}

}  // namespace edge::cli::commands
