// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/datafile_source.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/report.h"
#include "core/flags/suite.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["schema", "tests", "passed", "failed"],
  "properties": {
    "schema": {"const": "edge.flags-test/1"},
    "tests": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["name", "file", "line", "result", "detail", "mismatches"],
        "properties": {
          "name": {"type": "string"},
          "file": {"type": "string"},
          "line": {"type": "integer"},
          "result": {"enum": ["ok", "FAIL"]},
          "detail": {"type": "string"},
          "mismatches": {
            "type": "array",
            "items": {
              "type": "object",
              "required": ["flagKey", "member", "expected", "got"],
              "properties": {
                "flagKey": {"type": "string"},
                "member": {"type": "string"},
                "expected": {"type": "string"},
                "got": {"type": "string"}
              }
            }
          }
        }
      }
    },
    "passed": {"type": "integer"},
    "failed": {"type": "integer"}
  }
})";

struct Ran {
  std::vector<Check> checks = {};
  Listing listing = {};
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
};

std::string detail_of(const std::vector<flags::Mismatch>& mismatches) {
  std::string text;
  for (const flags::Mismatch& mismatch : mismatches) {
    text += fmt::format("{}{}{}{}: expected {}, got {}",
                        text.empty() ? "" : "; ",
                        mismatch.flag_key,
                        mismatch.member.empty() ? "" : ".",
                        mismatch.member,
                        mismatch.expected,
                        mismatch.got);
  }
  return text;
}

void add(Ran& ran,
         const std::string& file,
         std::size_t line,
         const std::string& name,
         const std::vector<flags::Mismatch>& mismatches) {
  const bool passed = mismatches.empty();
  const std::string detail = detail_of(mismatches);
  json::Writer out;
  out.begin_object().member("name", name).member("file", file);
  out.member("line", std::uint64_t{line}).member("result", passed ? "ok" : "FAIL");
  out.member("detail", detail).key("mismatches").begin_array();
  for (const flags::Mismatch& mismatch : mismatches) {
    out.begin_object()
        .member("flagKey", mismatch.flag_key)
        .member("member", mismatch.member)
        .member("expected", mismatch.expected)
        .member("got", mismatch.got)
        .end_object();
  }
  out.end_array().end_object();
  ran.listing.records.push_back(out.take());
  ran.checks.push_back({.suite = file,
                        .name = name,
                        .passed = passed,
                        .message = detail,
                        .file = file,
                        .line = line});
  ++(passed ? ran.passed : ran.failed);
}

Result<void> run_file(Call& call,
                      const flags::Datafile& datafile,
                      const std::string& file,
                      Ran& ran) {
  const auto lines = call.open_lines(file);
  if (!lines) {
    return Failure(lines.error());
  }
  const std::string only = call["only"];
  std::string line;
  while (true) {
    const auto more = (*lines)->next_filled(line);
    if (!more) {
      return Failure(more.error());
    }
    if (!*more) {
      return {};
    }
    const auto fail = [&](const Error& error) {
      Error located = error;
      located.message = fmt::format("{}:{}: {}", file, (*lines)->number(), error.message);
      located.reason = "invalid_expectation";
      return Failure(std::move(located));
    };
    const auto document = json::Document::parse(line, json::kDecision);
    if (!document) {
      return fail(document.error());
    }
    const std::string name = flags::name_of(document->root());
    if (!only.empty() && !flags::fits(only, name)) {
      continue;
    }
    const auto mismatches = flags::check_expectation(datafile, document->root());
    if (!mismatches) {
      return fail(mismatches.error());
    }
    add(ran, file, (*lines)->number(), name, *mismatches);
  }
}

Result<int> run_tests(Call& call) {
  const auto source = datafile_of(call);
  if (!source) {
    return Failure(source.error());
  }
  Ran ran{
      .listing = {.schema = "edge.flags-test/1",
                  .name = "tests",
                  .columns = {{"TEST", "/name"}, {"RESULT", "/result"}, {"DETAIL", "/detail"}}}};
  for (const std::string& file : call.all("FILE")) {
    if (auto done = run_file(call, *source->datafile, file, ran); !done) {
      return Failure(done.error());
    }
  }
  if (ran.checks.empty()) {
    return call.fail(
        {.error = {.code = ErrorCode::NotFound,
                   .message = call.has("only") ? fmt::format("no test fits \"{}\"", call["only"])
                                               : "there are no tests",
                   .reason = "no_tests"}});
  }
  if (auto done = write_reports(call, "edgectl flags test", ran.checks, true); !done) {
    return Failure(done.error());
  }
  ran.listing.members = fmt::format("\"passed\":{},\"failed\":{}", ran.passed, ran.failed);
  if (auto printed = call.print(ran.listing); !printed) {
    return printed;
  }
  if (ran.failed > 0) {
    call.note(fmt::format("{} passed, {} failed", ran.passed, ran.failed));
  }
  return ran.failed > 0 ? exit_code::kNo : exit_code::kDone;
}

}  // namespace

void flags_test(Tree& tree) {
  with_report_option(
      with_datafile_option(
          tree.command("flags test", "Check decisions against files of expectations")
              .about(
                  "An expectation is one JSON object a line: {\"name\",\"userId\",\"attributes\","
                  "\"expect\":{FLAG:{\"enabled\",\"variationKey\",\"ruleKey\",\"variables\"}}}. "
                  "Members that do not matter are left out; true, false or the key of a "
                  "variation may stand for the object.")
              .positional({.name = "FILE",
                           .value = "FILE…",
                           .help = "expectations as JSON lines; - is stdin",
                           .required = true,
                           .repeatable = true,
                           .complete = Complete::Files})
              .option({.name = "only",
                       .value = "PATTERN",
                       .help = "run the tests whose name holds this; * and ? as in a shell"})))
      .example("flags test flags/expect.jsonl --datafile flags/prod.json", "before a merge")
      .example("flags test flags/expect.jsonl --datafile flags/prod.json --report junit:flags.xml",
               "with a report for GitLab or Jenkins")
      .exits(exit_code::kNo, "a decision is not as expected")
      .exits(exit_code::kBadInput, "the datafile or a file of expectations cannot be used")
      .exits(exit_code::kNotFound, "no test was run")
      .output("flags-test", kSchema)
      .runs(run_tests);
}

}  // namespace edge::cli::commands
