// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/datafile_source.h"
#include "cli/exit_code.h"
#include "cli/report.h"
#include "core/flags/lint.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::string_view kSchema = R"({
  "type": "object",
  "required": ["schema", "problems", "errors", "warnings"],
  "properties": {
    "schema": {"const": "edge.flags-lint/1"},
    "problems": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["file", "line", "column", "level", "code", "message"],
        "properties": {
          "file": {"type": "string"},
          "line": {"type": "integer"},
          "column": {"type": "integer"},
          "level": {"enum": ["error", "warning"]},
          "code": {"type": "string"},
          "message": {"type": "string"}
        }
      }
    },
    "errors": {"type": "integer"},
    "warnings": {"type": "integer"}
  }
})";

/// Everything found in the files.
struct Found {
  std::vector<Check> checks = {};  ///< one per problem, or one that passed for a file without
  std::vector<std::string> lines = {};
  Listing listing = {};
  std::uint64_t errors = 0;
  std::uint64_t warnings = 0;
};

void add(Found& found, const std::string& file, const flags::LintProblem& problem, bool strict) {
  const std::string_view level = problem.is_error ? "error" : "warning";
  found.lines.push_back(fmt::format("{}:{}:{}: {}: {} [{}]\n",
                                    file,
                                    problem.line,
                                    problem.column,
                                    level,
                                    problem.message,
                                    problem.code));
  json::Writer out;
  out.begin_object().member("file", file).member("line", std::uint64_t{problem.line});
  out.member("column", std::uint64_t{problem.column}).member("level", level);
  out.member("code", problem.code).member("message", problem.message).end_object();
  found.listing.records.push_back(out.take());
  found.checks.push_back({.suite = file,
                          .name = fmt::format("{}:{}", problem.code, problem.line),
                          .passed = !problem.is_error && !strict,
                          .message = problem.message,
                          .file = file,
                          .line = problem.line,
                          .column = problem.column,
                          .is_warning = !problem.is_error});
  ++(problem.is_error ? found.errors : found.warnings);
}

Result<int> lint_files(Call& call) {
  Found found{.listing = {.schema = "edge.flags-lint/1",
                          .name = "problems",
                          .columns = {{"FILE", "/file"},
                                      {"LINE", "/line"},
                                      {"COLUMN", "/column"},
                                      {"LEVEL", "/level"},
                                      {"CODE", "/code"},
                                      {"MESSAGE", "/message"}}}};
  const bool strict = call.flag("strict");
  const auto files = call.all("FILE");
  for (const std::string& file : files) {
    const auto text = call.read(file);
    if (!text) {
      return Failure(text.error());
    }
    const auto problems = flags::lint(*text);
    for (const flags::LintProblem& problem : problems) {
      add(found, file, problem, strict);
    }
    if (problems.empty()) {
      found.checks.push_back({.suite = file, .name = "lint"});
    }
  }
  if (auto done = write_reports(call, "edgectl flags lint", found.checks, true); !done) {
    return Failure(done.error());
  }
  if (call.format() == Format::Table && call.layout().select.empty()) {
    for (const std::string& line : found.lines) {
      call.out().write(line);
    }
  } else {
    found.listing.members =
        fmt::format("\"errors\":{},\"warnings\":{}", found.errors, found.warnings);
    if (auto printed = call.print(found.listing); !printed) {
      return printed;
    }
  }
  if (found.errors + found.warnings > 0) {
    call.note(fmt::format("{} error{}, {} warning{} in {} file{}",
                          found.errors,
                          found.errors == 1 ? "" : "s",
                          found.warnings,
                          found.warnings == 1 ? "" : "s",
                          files.size(),
                          files.size() == 1 ? "" : "s"));
  }
  const bool is_bad = found.errors > 0 || (strict && found.warnings > 0);
  return is_bad ? exit_code::kNo : exit_code::kDone;
}

}  // namespace

void flags_lint(Tree& tree) {
  with_report_option(
      tree.command("flags lint", "Find mistakes in datafiles")
          .about("Prints FILE:LINE:COLUMN: level: text [code]. Errors are what makes a datafile "
                 "unusable and what cannot work: ids that name nothing, keys taken twice, traffic "
                 "above 10,000, conditions that are never true, values that are not of their "
                 "type. Warnings are what cannot be meant: unused audiences, ranges that no "
                 "bucket reaches, holes in the traffic.")
          .positional({.name = "FILE",
                       .value = "FILE…",
                       .help = "datafiles; - is stdin",
                       .required = true,
                       .repeatable = true,
                       .complete = Complete::Files})
          .flag("strict", "let warnings fail too"))
      .example("flags lint flags/prod.json", "before a datafile is used")
      .example("flags lint flags/*.json --strict --report junit:lint.xml", "in a pipeline")
      .exits(exit_code::kNo, "errors; with --strict warnings")
      .exits(exit_code::kBadInput, "a file cannot be read")
      .output("flags-lint", kSchema)
      .runs(lint_files);
}

}  // namespace edge::cli::commands
