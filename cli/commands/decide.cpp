// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/commands/datafile_source.h"
#include "cli/commands/decide_batch.h"
#include "cli/commands/decide_input.h"
#include "cli/commands/decide_print.h"
#include "cli/commands/decide_sending.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/flags/decision.h"
#include "core/flags/record.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["schema", "userId", "attributes", "source", "decisions"],
  "properties": {
    "schema": {"const": "edge.decide/1"},
    "userId": {"type": "string"},
    "attributes": {"type": "object"},
    "source": {
      "type": "object",
      "required": ["kind", "revision", "sha256", "from"],
      "properties": {
        "kind": {"enum": ["file", "stdin", "url", "cache", "daemon"]},
        "revision": {"type": "string"},
        "sha256": {"type": "string"},
        "from": {"type": "string"}
      }
    },
    "decisions": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["flagKey", "enabled", "variationKey", "ruleKey", "variables", "reasons"],
        "properties": {
          "flagKey": {"type": "string"},
          "enabled": {"type": "boolean"},
          "variationKey": {"type": ["string", "null"]},
          "ruleKey": {"type": ["string", "null"]},
          "variables": {"type": "object"},
          "reasons": {"type": "array", "items": {"type": "string"}},
          "explanation": {
            "type": "object",
            "required": ["bucketingId", "steps"],
            "properties": {
              "bucketingId": {"type": "string"},
              "steps": {"type": "array", "items": {"type": "object", "required": ["kind", "finding"]}}
            }
          }
        }
      }
    },
    "expectations": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["expectation", "got", "ok"],
        "properties": {
          "expectation": {"type": "string"},
          "got": {"type": "string"},
          "ok": {"type": "boolean"}
        }
      }
    }
  }
})";

/// The daemon to ask: `--url` unless the arguments name a datafile. Who sends events asks one that
/// runs, as other commands that write do.
Remote* daemon_of(Call& call) {
  if (names_datafile(call)) {
    return nullptr;
  }
  return call.flag("send-event") ? call.running_daemon() : call.asked_daemon();
}

/// What is wrong with the combination of arguments.
std::optional<std::string> misuse(const Call& call) {
  const bool names_flags = !call.all("FLAG").empty();
  if (!call.has("user")) {
    return "--user is missing";
  }
  if (call.flag("all") && names_flags) {
    return "name flags or give --all, not both";
  }
  if (!call.flag("all") && !names_flags && !call.has("expect")) {
    return "name a flag, or give --all";
  }
  if (call.flag("test") && !names_flags) {
    return "--test needs the flags that must be on";
  }
  if (call["attrs"] == "-" && call["datafile"] == "-") {
    return "--attrs and --datafile cannot both be stdin";
  }
  if (call.has("batch")) {
    return "--batch takes users and flags from its records";
  }
  return std::nullopt;
}

flags::Decision decision_of(json::Value document) {
  flags::Decision decision;
  for (const auto& [name, value] : document.members()) {
    if (name == "flagKey") {
      decision.flag_key = value.as_string().value_or("");
    } else if (name == "variationKey") {
      decision.variation_key = value.as_string();
    } else if (name == "ruleKey") {
      decision.rule_key = value.as_string();
    } else if (name == "enabled") {
      decision.is_enabled = value.as_bool().value_or(false);
    } else if (name == "variables") {
      decision.variables = value.raw();
    }
  }
  return decision;
}

std::optional<json::Value> decision_for(json::Value document, std::string_view key) {
  for (const json::Value decision : document.find("decisions")->elements()) {
    const auto flag = decision.find("flagKey");
    if (flag && flag->as_string() == key) {
      return decision;
    }
  }
  return std::nullopt;
}

Outcome outcome_of(const Call& call, const Question& question, json::Value document) {
  Outcome outcome{.document = document};
  const bool filters = question.enabled_only && (call.flag("all") || question.keys.size() != 1);
  for (const json::Value decision : document.find("decisions")->elements()) {
    if (!filters || decision_of(decision).is_enabled) {
      outcome.decisions.push_back(decision);
    }
  }
  for (const flags::Expectation& expectation : question.expectations) {
    const auto decision = decision_for(document, expectation.flag_key);
    outcome.verdicts.emplace_back(
        expectation.text,
        judge(expectation, decision ? decision_of(*decision) : flags::Decision{}));
  }
  return outcome;
}

Result<int> print_outcome(Call& call, const Outcome& outcome) {
  if (auto reported =
          write_reports(call, "edgectl decide", checks_of(outcome), !outcome.verdicts.empty());
      !reported) {
    return Failure(reported.error());
  }
  if (call.flag("test")) {
    const auto named = call.all("FLAG");
    const bool all_on = std::all_of(named.begin(), named.end(), [&outcome](const auto& key) {
      const auto decision = decision_for(outcome.document, key);
      return decision && decision_of(*decision).is_enabled;
    });
    return all_on && outcome.all_met() ? exit_code::kDone : exit_code::kNo;
  }
  const auto printed =
      call.print(Document{.json = outcome_json(outcome),
                          .human = outcome_text(outcome, call.layout(), call.flag("ascii"))});
  if (!printed || *printed != exit_code::kDone) {
    return printed;
  }
  return outcome.all_met() ? exit_code::kDone : exit_code::kNo;
}

/// What one question was answered with.
struct Answer {
  std::string document = {};
  std::optional<DatafileSource> source = {};  ///< unless a daemon answered
  std::unique_ptr<ImpressionSender> sender = {};
};

Result<Answer> answer_to(Call& call, const Question& question) {
  const bool send = call.flag("send-event");
  if (Remote* daemon = daemon_of(call)) {
    auto response = daemon->post("/api/decide", question.record);
    return response ? Result<Answer>(Answer{.document = std::move(response->body)})
                    : Result<Answer>(Failure(response.error()));
  }
  if (send) {
    ImpressionSender::check(call);
  }
  auto source = datafile_of(call);
  if (!source) {
    return Failure(source.error());
  }
  source->origin.sha256 = encoding::hex_encode(crypto::sha256(source->datafile->text()));
  const auto record = json::Document::parse(question.record, json::kDecision);
  Answer answer{.source = std::move(*source)};
  const flags::Datafile& datafile = *answer.source->datafile;
  if (send) {
    answer.sender = std::make_unique<ImpressionSender>(call, datafile);
  }
  auto document = flags::decide_document(datafile,
                                         answer.source->origin,
                                         record->root(),
                                         send ? answer.sender->witness() : flags::Witness{});
  if (!document) {
    return Failure(document.error());
  }
  answer.document = std::move(*document);
  return answer;
}

int fail_unknown(Call& call, const std::string& key, const Answer& answer) {
  if (answer.source) {
    return fail_unknown_flag(call, key, *answer.source);
  }
  return call.fail({.error = {.code = ErrorCode::NotFound,
                              .message = fmt::format("no flag \"{}\" in the daemon", key),
                              .reason = "flag_not_found"},
                    .side = Side::Remote});
}

Result<int> decide_flags_of(Call& call) {
  if (call.has("batch") && !call.has("user")) {
    return decide_batch(call, daemon_of(call));
  }
  if (const auto wrong = misuse(call)) {
    return Failure(usage_error(*wrong));
  }
  const auto question = question_of(call);
  if (!question) {
    return Failure(question.error());
  }
  const auto answer = answer_to(call, *question);
  if (!answer) {
    return Failure(answer.error());
  }
  const auto document = json::Document::parse(answer->document, json::kDecision);
  if (!document || !document->root().find("decisions")) {
    return Failure({ErrorCode::Unavailable, "the daemon's answer is no document of decisions"});
  }
  for (const std::string& key : question->keys) {
    const auto decision = decision_for(document->root(), key);
    if (!decision || is_unknown(*decision)) {
      return fail_unknown(call, key, *answer);
    }
  }
  if (answer->sender) {
    if (auto sent = answer->sender->finish(); !sent) {
      return Failure(sent.error());
    }
  }
  if (const auto saved = document->root().find("savedProfile")) {
    if (auto done = question->profiles.save(call["user"], saved->raw()); !done) {
      return Failure(done.error());
    }
  }
  return print_outcome(call, outcome_of(call, *question, document->root()));
}

}  // namespace

void decide(Tree& tree) {
  with_report_option(
      with_user_options(
          with_datafile_option(
              tree.command("decide", "Decide feature flags for a user")
                  .in(Section::Build)
                  .about("Decisions are those of Optimizely's JavaScript SDK 6.6.1. Nothing is "
                         "sent anywhere without --send-event.")
                  .about("With --url a daemon decides, unless a datafile is named here.")
                  .positional({.name = "FLAG",
                               .value = "FLAG…",
                               .help = "keys of the flags",
                               .repeatable = true})
                  .flag("all", "every flag, in the order of the datafile")))
          .flag("explain", "show the walk: every rule, its conditions and values, the bucket")
          .option({.name = "expect",
                   .value = "EXPECT",
                   .help = "FLAG, !FLAG, FLAG=VARIATION, FLAG.enabled=BOOL, FLAG.rule=KEY, "
                           "FLAG.var.NAME=VALUE; also != ~",
                   .repeatable = true})
          .flag("test", "print nothing; exit 1 unless every named flag is on"))
      .option({.name = "batch",
               .value = "FILE|-",
               .help = "records as JSON lines; one answer per line",
               .complete = Complete::Files})
      .option({.name = "workers",
               .value = "N",
               .help = "threads that answer a batch, in its order",
               .type = Type::Integer,
               .fallback = "1"})
      .flag("send-event",
            "report the decisions to Optimizely: stored, then sent to the destination")
      .flag("fail-invalid", "with --batch: exit 1 if any answer is an error")
      .example("decide new_checkout -u u-42 --attr plan=pro --datafile flags.json", "one flag")
      .example("decide new_checkout -u u-42 --attr plan=pro --datafile flags.json --explain",
               "and why")
      .example(
          "decide new_checkout -u u-42 --attr plan=pro --datafile flags.json "
          "--expect new_checkout=treatment",
          "as a check in a pipeline")
      .example("decide --all -u u-42 --datafile flags.json --json", "everything, for programs")
      .example("decide --batch users.jsonl --datafile flags.json", "many users at once")
      .exits(exit_code::kNo, "an expectation is not met, or a flag of --test is off")
      .exits(exit_code::kBadInput, "the datafile or the attributes cannot be used")
      .exits(exit_code::kNotFound, "no such flag")
      .output("decide", kSchema)
      .runs(decide_flags_of);
}

}  // namespace edge::cli::commands
