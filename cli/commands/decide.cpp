// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "cli/batch.h"
#include "cli/command.h"
#include "cli/commands/decide_input.h"
#include "cli/commands/decide_print.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/config/suggest.h"
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
        "kind": {"enum": ["file", "stdin"]},
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
          "reasons": {"type": "array", "items": {"type": "string"}}
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

Result<int> decide_batch(Call& call) {
  if (call.has("user") || call.flag("all") || !call.all("FLAG").empty()) {
    return Failure(usage_error("--batch takes users and flags from its records"));
  }
  const auto source = datafile_of(call);
  if (!source) {
    return Failure(source.error());
  }
  return run_batch(call,
                   call["batch"],
                   json::kDecision,
                   call.flag("fail-invalid"),
                   [&source](json::Value record, json::Writer& out) {
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
  return std::nullopt;
}

/// The flags named as arguments and in expectations, each once.
std::vector<std::string> named_flags(const Call& call,
                                     const std::vector<flags::Expectation>& expectations) {
  std::vector<std::string> keys;
  const auto add = [&keys](const std::string& key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.push_back(key);
    }
  };
  for (const std::string& key : call.all("FLAG")) {
    add(key);
  }
  for (const flags::Expectation& expectation : expectations) {
    add(expectation.flag_key);
  }
  return keys;
}

int fail_unknown(Call& call, const std::string& key, const DatafileSource& source) {
  std::vector<std::string> known;
  for (const flags::Flag& flag : source.datafile->flags) {
    known.emplace_back(flag.key);
  }
  return call.fail(
      {.error = {.code = ErrorCode::NotFound,
                 .message = fmt::format("no flag \"{}\" in {} (revision {}, {} flags)",
                                        key,
                                        source.from,
                                        source.datafile->revision,
                                        known.size()),
                 .reason = "flag_not_found"},
       .did_you_mean = config::closest(key, known),
       .hint = fmt::format("edgectl decide --all -u {} --datafile {}", call["user"], source.from)});
}

std::vector<flags::Decision> decide_flags(flags::Decider& decider,
                                          const Call& call,
                                          const std::vector<std::string>& keys) {
  if (call.flag("all")) {
    return decider.decide_all();
  }
  if (keys.size() == 1) {
    std::vector<flags::Decision> decisions;
    decisions.push_back(decider.decide(keys.front()));
    return decisions;
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  return decider.decide_keys(views);
}

Result<int> print_outcome(Call& call,
                          const DatafileSource& source,
                          const std::string& attributes,
                          const Outcome& outcome) {
  if (call.flag("test")) {
    const auto named = call.all("FLAG");
    const bool all_on = std::all_of(named.begin(), named.end(), [&outcome](const auto& key) {
      return std::any_of(
          outcome.decisions.begin(), outcome.decisions.end(), [&key](const auto& decision) {
            return decision.flag_key == key && decision.is_enabled;
          });
    });
    return all_on && outcome.all_met() ? exit_code::kDone : exit_code::kNo;
  }
  const auto printed =
      call.print(Document{.json = outcome_json(source, call["user"], attributes, outcome),
                          .human = outcome_text(outcome, call.layout())});
  if (!printed || *printed != exit_code::kDone) {
    return printed;
  }
  return outcome.all_met() ? exit_code::kDone : exit_code::kNo;
}

/// What the arguments say, read and checked.
struct Request {
  DatafileSource source;
  std::string attributes = {};
  flags::Options options = {};
  std::vector<Force> forces = {};
  std::vector<flags::Expectation> expectations = {};
};

Result<Request> request_of(Call& call) {
  auto expectations = expectations_of(call);
  if (!expectations) {
    return Failure(expectations.error());
  }
  auto forces = forces_of(call);
  if (!forces) {
    return Failure(forces.error());
  }
  const auto options = options_of(call);
  if (!options) {
    return Failure(options.error());
  }
  auto attributes = attributes_of(call);
  if (!attributes) {
    return Failure(attributes.error());
  }
  auto source = datafile_of(call);
  if (!source) {
    return Failure(source.error());
  }
  if (!source->datafile->is_ready) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = source->from + ": datafile is not usable: it has no revision",
                    .reason = "invalid_datafile"});
  }
  return Request{std::move(*source),
                 std::move(*attributes),
                 *options,
                 std::move(*forces),
                 std::move(*expectations)};
}

Result<int> decide_for(Call& call, const Request& request, const flags::User& user) {
  const auto keys = named_flags(call, request.expectations);
  for (const std::string& key : keys) {
    if (request.source.datafile->find_flag(key) == nullptr) {
      return fail_unknown(call, key, request.source);
    }
  }
  std::vector<flags::ForcedDecision> forced;
  for (const Force& force : request.forces) {
    forced.push_back({force.flag, force.rule, force.variation});
  }
  const auto profiles = ProfileFile::open(call);
  if (!profiles) {
    return Failure(profiles.error());
  }
  const auto stored = profiles->map_of(user.id);
  flags::Decider decider(
      *request.source.datafile,
      user,
      {.forced = forced, .profile = stored ? &*stored : nullptr, .options = request.options});
  Outcome outcome{.decisions = decide_flags(decider, call, keys)};
  for (const flags::Expectation& expectation : request.expectations) {
    outcome.verdicts.emplace_back(expectation.text,
                                  judge(expectation, decider.decide(expectation.flag_key)));
  }
  if (const auto map = decider.profile_to_save()) {
    if (auto saved = profiles->save(user.id, *map); !saved) {
      return Failure(saved.error());
    }
  }
  return print_outcome(call, request.source, request.attributes, outcome);
}

Result<int> decide_flags_of(Call& call) {
  if (call.has("batch")) {
    return decide_batch(call);
  }
  if (const auto wrong = misuse(call)) {
    return Failure(usage_error(*wrong));
  }
  const auto request = request_of(call);
  if (!request) {
    return Failure(request.error());
  }
  const auto attributes = json::Document::parse(request->attributes, json::kDecision);
  json::Writer id;
  id.string(call["user"]);
  const auto user_id = json::Document::parse(id.text(), json::kDecision);
  auto user = flags::user_of(user_id->root(), attributes->root(), std::nullopt);
  if (!user) {
    return Failure(user.error());
  }
  const auto segments = call.all("segment");
  user->segments.assign(segments.begin(), segments.end());
  return decide_for(call, *request, *user);
}

}  // namespace

void decide(Tree& tree) {
  with_user_options(
      with_datafile_option(tree.command("decide", "Decide feature flags for a user")
                               .in(Section::Build)
                               .about("Decisions are those of Optimizely's JavaScript SDK 6.6.1. "
                                      "Nothing is sent anywhere.")
                               .positional({.name = "FLAG",
                                            .value = "FLAG…",
                                            .help = "keys of the flags",
                                            .repeatable = true})
                               .flag("all", "every flag, in the order of the datafile")))
      .option({.name = "expect",
               .value = "EXPECT",
               .help = "FLAG, !FLAG, FLAG=VARIATION, FLAG.rule=KEY, FLAG.var.NAME=VALUE; also != ~",
               .repeatable = true})
      .flag("test", "print nothing; exit 1 unless every named flag is on")
      .option({.name = "batch",
               .value = "FILE|-",
               .help = "records as JSON lines; one answer per line",
               .complete = Complete::Files})
      .flag("fail-invalid", "with --batch: exit 1 if any answer is an error")
      .example("decide new_checkout -u u-42 --attr plan=pro --datafile flags.json", "one flag")
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
