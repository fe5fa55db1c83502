// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "cli/batch.h"
#include "cli/command.h"
#include "cli/commands/datafile_source.h"
#include "cli/commands/decide_input.h"
#include "cli/commands/decide_print.h"
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

/// The daemon to ask: `--url` unless the arguments name a datafile.
Remote* daemon_of(Call& call) {
  return names_datafile(call) ? nullptr : call.asked_daemon();
}

std::string unknown_reason(std::string_view key) {
  return fmt::format("No flag was found for key \"{}\".", key);
}

/// Whether a decision says that there is no such flag.
bool is_unknown(json::Value decision) {
  const auto reasons = decision.find("reasons");
  const auto reason = reasons ? reasons->at(0) : std::nullopt;
  const auto key = decision.find("flagKey");
  const auto rule = decision.find("ruleKey");
  return reason && key && rule && rule->is_null() && key->is_string() &&
         reason->as_string() == unknown_reason(*key->as_string());
}

/// The answer of a batch made of a daemon's document.
Result<bool> answer_remotely(Remote& daemon, json::Value record, json::Writer& out) {
  const auto response = daemon.post("/api/decide", std::string(record.raw()));
  if (!response) {
    return Failure(response.error());
  }
  const auto document = json::Document::parse(response->body, json::kDecision);
  const auto decisions = document ? document->root().find("decisions") : std::nullopt;
  if (!decisions) {
    return Failure({ErrorCode::Unavailable, "the daemon's answer is no document of decisions"});
  }
  bool all_known = true;
  out.key("decisions").begin_object();
  for (const json::Value decision : decisions->elements()) {
    const auto key = decision.find("flagKey");
    all_known = all_known && !is_unknown(decision);
    out.key(key ? key->as_string().value_or("") : "").value(decision);
  }
  out.end_object();
  if (const auto saved = document->root().find("savedProfile")) {
    out.key("savedProfile").value(*saved);
  }
  return all_known;
}

Result<int> decide_batch(Call& call) {
  if (call.has("user") || call.flag("all") || !call.all("FLAG").empty()) {
    return Failure(usage_error("--batch takes users and flags from its records"));
  }
  const std::int64_t workers = call.integer("workers");
  if (workers < 1 || workers > kMaxWorkers) {
    return Failure(usage_error(fmt::format("--workers must be 1 to {}", kMaxWorkers), "workers"));
  }
  Batch batch{.path = call["batch"],
              .profile = json::kDecision,
              .fail_invalid = call.flag("fail-invalid"),
              .workers = static_cast<std::size_t>(workers)};
  if (Remote* daemon = daemon_of(call)) {
    batch.workers = 1;
    return run_batch(call, batch, [daemon](json::Value record, json::Writer& out) {
      return answer_remotely(*daemon, record, out);
    });
  }
  auto read = read_datafile(call);
  if (!read) {
    return Failure(read.error());
  }
  const auto source = load_datafile_text(std::move(*read));
  if (!source) {
    return Failure(source.error());
  }
  return run_batch(call, batch, [&source](json::Value record, json::Writer& out) {
    return flags::answer_record(*source->datafile, record, out);
  });
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
};

Result<Answer> answer_to(Call& call, const Question& question) {
  if (Remote* daemon = daemon_of(call)) {
    auto response = daemon->post("/api/decide", question.record);
    return response ? Result<Answer>(Answer{.document = std::move(response->body)})
                    : Result<Answer>(Failure(response.error()));
  }
  auto source = datafile_of(call);
  if (!source) {
    return Failure(source.error());
  }
  source->origin.sha256 = encoding::hex_encode(crypto::sha256(source->datafile->text()));
  const auto record = json::Document::parse(question.record, json::kDecision);
  auto document = flags::decide_document(*source->datafile, source->origin, record->root());
  if (!document) {
    return Failure(document.error());
  }
  return Answer{.document = std::move(*document), .source = std::move(*source)};
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
    return decide_batch(call);
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
                         "sent anywhere.")
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
