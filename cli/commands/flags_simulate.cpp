// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/commands/crowd_options.h"
#include "cli/commands/datafile_source.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/flags/simulate.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::int64_t kMaxUsers = 100'000'000;

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["schema", "flagKey", "revision", "users", "seed", "alpha", "ok", "outcomes", "rules"],
  "properties": {
    "schema": {"const": "edge.simulation/1"},
    "flagKey": {"type": "string"},
    "revision": {"type": "string"},
    "users": {"type": "integer"},
    "seed": {"type": "integer"},
    "alpha": {"type": "number"},
    "ok": {"type": "boolean"},
    "outcomes": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["variationKey", "ruleKey", "enabled", "count"],
        "properties": {
          "variationKey": {"type": ["string", "null"]},
          "ruleKey": {"type": ["string", "null"]},
          "enabled": {"type": "boolean"},
          "count": {"type": "integer"}
        }
      }
    },
    "rules": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["key", "id", "kind", "users", "cells", "chiSquare", "df", "p", "ok"],
        "properties": {
          "key": {"type": "string"},
          "kind": {"enum": ["experiment", "delivery", "holdout"]},
          "users": {"type": "integer"},
          "cells": {
            "type": "array",
            "items": {
              "type": "object",
              "required": ["variationKey", "count", "share", "expected", "pooled"],
              "properties": {
                "variationKey": {"type": ["string", "null"]},
                "count": {"type": "integer"},
                "share": {"type": "number"},
                "expected": {"type": "number"},
                "pooled": {"type": "boolean"}
              }
            }
          },
          "chiSquare": {"type": "number"},
          "df": {"type": "integer"},
          "p": {"type": "number"},
          "ok": {"type": "boolean"}
        }
      }
    }
  }
})";

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return std::string(member ? member->as_string().value_or("") : "");
}

double number_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->as_double().value_or(0) : 0;
}

bool is_true(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->as_bool().value_or(false);
}

std::string verdict_of(json::Value rule, const std::string& pooled, double alpha) {
  if (number_of(rule, "df") == 0) {
    return "nothing to test: there is one outcome\n";
  }
  std::string text =
      fmt::format("χ² = {:.2f}   df = {:.0f}   p = {:.2g}   {}\n",
                  number_of(rule, "chiSquare"),
                  number_of(rule, "df"),
                  number_of(rule, "p"),
                  is_true(rule, "ok") ? "split matches the declared weights"
                                      : fmt::format("split does NOT match (alpha {})", alpha));
  if (!pooled.empty()) {
    text += fmt::format("tested together, fewer than 5 expected: {}\n", pooled);
  }
  return text;
}

std::string rule_text(json::Value document, json::Value rule, bool ascii) {
  constexpr std::size_t kBarWidth = 53;
  std::string text = fmt::format("{} / rule {}   {} users   seed {:.0f}   revision {}\n",
                                 text_of(document, "flagKey"),
                                 text_of(rule, "key"),
                                 spaced(static_cast<std::uint64_t>(number_of(rule, "users"))),
                                 number_of(document, "seed"),
                                 text_of(document, "revision"));
  std::string pooled;
  for (const json::Value cell : rule.find("cells")->elements()) {
    const std::string key = text_of(cell, "variationKey");
    const std::string name = key.empty() ? "(none)" : key;
    const double share = number_of(cell, "share");
    const std::string drawn = bar(share, kBarWidth, ascii);
    // A block is three octets but one column wide.
    const std::size_t columns = ascii ? drawn.size() : drawn.size() / 3;
    text += fmt::format("  {:<14} {:>6.2f} %  {}{}  {:>9}   expected {:>9}\n",
                        name,
                        share * 100,
                        drawn,
                        std::string(kBarWidth - std::min(kBarWidth, columns), ' '),
                        spaced(static_cast<std::uint64_t>(number_of(cell, "count"))),
                        spaced(static_cast<std::uint64_t>(number_of(cell, "expected") + 0.5)));
    if (is_true(cell, "pooled")) {
      pooled += (pooled.empty() ? "" : ", ") + name;
    }
  }
  return text + verdict_of(rule, pooled, number_of(document, "alpha"));
}

std::string simulation_text(json::Value document, bool ascii) {
  std::string text;
  for (const json::Value rule : document.find("rules")->elements()) {
    text += (text.empty() ? "" : "\n") + rule_text(document, rule, ascii);
  }
  if (text.empty()) {
    text = fmt::format("{}: no user reached the traffic of a rule\n", text_of(document, "flagKey"));
  }
  return text;
}

std::optional<std::string> misuse(const Call& call) {
  const std::int64_t users = call.integer("number");
  if (users < 1 || users > kMaxUsers) {
    return fmt::format("-N must be 1 to {}", kMaxUsers);
  }
  if (call.integer("seed") < 0) {
    return "--seed must not be negative";
  }
  const double alpha = call.number("alpha");
  if (alpha <= 0 || alpha >= 1) {
    return "--alpha must be between 0 and 1";
  }
  if (call.has("users") && (call.has("number") || call.has("user-pattern") || call.has("dist"))) {
    return "--users gives the users; -N, --user-pattern and --dist draw them";
  }
  return std::nullopt;
}

Result<std::string> ask_daemon(Call& call, Remote& daemon) {
  if (call.has("users") || call.has("user-pattern") || call.has("dist") || call.has("alpha")) {
    return Failure(usage_error("a daemon takes -N, --seed and --attr only"));
  }
  const auto attributes = call.object("attr");
  if (!attributes) {
    return Failure(attributes.error());
  }
  json::Writer body;
  body.begin_object().member("key", call["FLAG"]).member("users", call.integer("number"));
  body.member("seed", call.integer("seed")).key("attributes").raw(*attributes).end_object();
  auto response = daemon.post("/api/flags/simulate", body.take());
  return response ? Result<std::string>(std::move(response->body))
                  : Result<std::string>(Failure(response.error()));
}

Result<int> print_simulation(Call& call, const std::string& text) {
  const auto document = json::Document::parse(text, json::kDecision);
  if (!document || !document->root().find("rules")) {
    return Failure({ErrorCode::Unavailable, "the daemon's answer is not what was asked for"});
  }
  const auto printed = call.print(
      Document{.json = text, .human = simulation_text(document->root(), call.flag("ascii"))});
  if (!printed) {
    return printed;
  }
  return is_true(document->root(), "ok") ? exit_code::kDone : exit_code::kNo;
}

Result<int> simulate_flag(Call& call) {
  if (const auto wrong = misuse(call)) {
    return Failure(usage_error(*wrong));
  }
  if (Remote* daemon = names_datafile(call) ? nullptr : call.asked_daemon()) {
    const auto text = ask_daemon(call, *daemon);
    return text ? print_simulation(call, *text) : Result<int>(Failure(text.error()));
  }
  const auto source = datafile_of(call);
  if (!source) {
    return Failure(source.error());
  }
  auto crowd = crowd_of(call,
                        {.users = static_cast<std::uint64_t>(call.integer("number")),
                         .seed = static_cast<std::uint64_t>(call.integer("seed")),
                         .pattern = call["user-pattern"]});
  if (!crowd) {
    return Failure(crowd.error());
  }
  const std::string key = call["FLAG"];
  if (source->datafile->find_flag(key) == nullptr) {
    return fail_unknown_flag(call, key, *source);
  }
  const auto seed =
      call.has("users") ? std::uint64_t{0} : static_cast<std::uint64_t>(call.integer("seed"));
  const auto simulation =
      flags::simulate(*source->datafile, key, *crowd, seed, call.number("alpha"));
  if (!simulation) {
    return Failure(simulation.error());
  }
  return print_simulation(call, flags::simulation_document(*simulation));
}

}  // namespace

void flags_simulate(Tree& tree) {
  with_datafile_option(
      with_crowd_options(
          tree.command("flags simulate", "Decide many users and test the split")
              .about("Users are drawn from a seeded generator: the same seed gives the same users. "
                     "For every rule the outcomes are compared with its traffic by Pearson's "
                     "chi-square test.")
              .positional({.name = "FLAG", .help = "key of the flag", .required = true})
              .option({.name = "number",
                       .letter = 'N',
                       .value = "N",
                       .help = "how many users",
                       .type = Type::Integer,
                       .fallback = "100000"})
              .option({.name = "seed",
                       .value = "N",
                       .help = "start of the generator",
                       .type = Type::Integer,
                       .fallback = "1"})
              .option({.name = "user-pattern",
                       .value = "TEXT",
                       .help = "user ids; {n} becomes a drawn number",
                       .fallback = "user-{n}"})
              .option({.name = "alpha",
                       .value = "P",
                       .help = "below this chance the split does not match",
                       .type = Type::Number,
                       .fallback = "0.001"})))
      .example("flags simulate new_checkout --datafile flags.json --attr plan=pro", "who gets what")
      .example("flags simulate new_checkout --datafile flags.json --dist plan=pro:0.2,free:0.8",
               "with attributes as they occur")
      .exits(exit_code::kNo, "a split does not match the declared weights")
      .exits(exit_code::kBadInput, "the datafile or the users cannot be used")
      .exits(exit_code::kNotFound, "no such flag")
      .output("simulation", kSchema)
      .runs(simulate_flag);
}

}  // namespace edge::cli::commands
