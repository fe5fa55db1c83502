// SPDX-License-Identifier: MIT
#include "cli/commands/pixel_bulk.h"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "cli/commands/pixel_options.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "core/encoding/csv.h"
#include "core/pixels/bulk.h"

namespace edge::cli::commands {
namespace {

std::optional<pixels::TableForm> table_form(std::string_view name) {
  if (name == "csv") {
    return pixels::TableForm::Csv;
  }
  if (name == "tsv") {
    return pixels::TableForm::Tsv;
  }
  return name == "jsonl" ? std::optional(pixels::TableForm::JsonLines) : std::nullopt;
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  encoding::CsvReader reader(',', [&](encoding::CsvReader::Row& row) {
    parts = row.fields;
    return true;
  });
  reader.feed(text);
  reader.finish();
  return parts;
}

/// Reads `--map FIELD=COL`: fields by their id (`recipientId`) or as the flag is called
/// (`recipient`).
Result<void> read_columns(Call& call, pixels::BulkPlan& plan) {
  for (const std::string& text : call.all("map")) {
    const std::size_t equals = text.find('=');
    std::string field = text.substr(0, equals);
    if (field == "campaign" || field == "email" || field == "recipient") {
      field += "Id";
    }
    const bool known = field == "campaignId" || field == "emailId" || field == "recipientId" ||
                       field.starts_with("meta.");
    if (equals == std::string::npos || !known) {
      return Failure(usage_error(
          fmt::format(
              "--map \"{}\" must be FIELD=COLUMN; FIELD is campaign, email, recipient or meta.KEY",
              text),
          "map"));
    }
    plan.columns[field] = text.substr(equals + 1);
  }
  plan.append = split_commas(call["columns"]);
  for (const std::string& name : plan.append) {
    if (name != "pixelId" && name != "pixelUrl" && name != "pixelHTML" && name != "pixelError") {
      return Failure(usage_error(
          fmt::format("--columns \"{}\" is not one of pixelId, pixelUrl, pixelHTML, pixelError",
                      name),
          "columns"));
    }
  }
  return {};
}

Result<void> read_forms(Call& call, pixels::BulkPlan& plan) {
  const std::string input = call["input"];
  const std::size_t dot = input.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : input.substr(dot + 1);
  plan.in = table_form(call.has("in-format") ? call["in-format"] : extension)
                .value_or(pixels::TableForm::Csv);
  plan.out = plan.in;
  if (call.has("format") || call.flag("json")) {
    const auto form = table_form(call.flag("json") ? "json" : call["format"]);
    if (!form) {
      return Failure(usage_error("pixel bulk writes csv, tsv or jsonl", "format"));
    }
    plan.out = *form;
  }
  if (plan.in == pixels::TableForm::JsonLines && plan.out != plan.in) {
    return Failure(
        usage_error("JSON lines have no header; they are written as jsonl only", "format"));
  }
  return {};
}

Result<pixels::BulkPlan> plan_of(Call& call) {
  auto claims = claims_of(call);
  if (!claims) {
    return Failure(claims.error());
  }
  pixels::BulkPlan plan;
  plan.constants = std::move(*claims);
  const auto seal = seal_options_of(call);
  auto base_url = base_url_of(call);
  if (!seal || !base_url) {
    return Failure(seal ? base_url.error() : seal.error());
  }
  plan.seal = *seal;
  plan.base_url = std::move(*base_url);
  if (call.has("img-style")) {
    plan.style = call["img-style"];
  }
  const std::string on_error = call["on-error"];
  plan.on_error = on_error == "skip"   ? pixels::BulkPlan::OnError::Skip
                  : on_error == "mark" ? pixels::BulkPlan::OnError::Mark
                                       : pixels::BulkPlan::OnError::Fail;
  constexpr std::int64_t kMaxJobs = 64;
  if (call.integer("jobs") < 1 || call.integer("jobs") > kMaxJobs) {
    return Failure(usage_error(fmt::format("--jobs \"{}\" must be 1 to 64", call["jobs"]), "jobs"));
  }
  plan.jobs = static_cast<std::size_t>(call.integer("jobs"));
  if (auto done = read_columns(call, plan); !done) {
    return Failure(done.error());
  }
  if (auto done = read_forms(call, plan); !done) {
    return Failure(done.error());
  }
  return plan;
}

Result<pixels::BulkCounts> feed_all(Call& call, pixels::Bulk& run) {
  const auto lines = call.open_lines(call.has("input") ? call["input"] : "-");
  if (!lines) {
    return Failure(lines.error());
  }
  std::string block;
  while (true) {
    const auto more = (*lines)->next_block(block);
    if (!more) {
      return Failure(more.error());
    }
    if (!*more) {
      return run.finish();
    }
    if (auto fed = run.feed(block); !fed) {
      return Failure(fed.error());
    }
  }
}

Result<int> bulk(Call& call) {
  auto plan = plan_of(call);
  if (!plan) {
    return Failure(plan.error());
  }
  const auto ring = ring_of(call);
  if (!ring) {
    return Failure(ring.error());
  }
  std::ofstream errors;
  if (call.has("errors")) {
    errors.open(call["errors"]);
    if (!errors) {
      return Failure(
          {ErrorCode::Unavailable, fmt::format("cannot write \"{}\"", call["errors"]), "errors"});
    }
    errors << "row,code,message\n";
  }
  const bool ends = plan->on_error == pixels::BulkPlan::OnError::Fail;
  pixels::Bulk run(
      std::move(*plan),
      *ring,
      [&call](std::string_view text) { call.out().write(text); },
      [&](const pixels::BadRow& bad) {
        std::string row = fmt::format("{},{},", bad.row, reason_of(bad.error));
        encoding::append_csv_field(row, bad.error.message);
        errors << row << '\n';
        if (!ends) {
          call.note(
              fmt::format("row {}: {} ({})", bad.row, bad.error.message, reason_of(bad.error)));
        }
      });
  const auto counts = feed_all(call, run);
  if (!counts) {
    return Failure(counts.error());
  }
  call.note(fmt::format("{} pixels made, {} rows without one", counts->made, counts->bad));
  return counts->bad == 0 ? exit_code::kDone : exit_code::kPartly;
}

}  // namespace

void declare_pixel_bulk(Tree& tree) {
  auto& command = tree.command("pixel bulk", "Make a pixel for each row of a list");
  with_claim_options(command)
      .reads_input()
      .option({.name = "in-format",
               .value = "FORM",
               .help = "form of the input; default: by its extension, else csv",
               .choices = {"csv", "tsv", "jsonl"}})
      .option({.name = "map",
               .value = "FIELD=COL",
               .help = "which column holds campaign, email, recipient or meta.KEY",
               .repeatable = true})
      .option({.name = "columns",
               .value = "LIST",
               .help = "columns to append: pixelId, pixelUrl, pixelHTML, pixelError",
               .fallback = "pixelId,pixelUrl,pixelHTML"})
      .option({.name = "on-error",
               .value = "HOW",
               .help = "what a bad row does",
               .fallback = "fail",
               .choices = {"fail", "skip", "mark"}})
      .option({.name = "errors",
               .value = "FILE",
               .help = "list bad rows there as CSV",
               .complete = Complete::Files})
      .option({.name = "jobs",
               .value = "N",
               .help = "threads; rows keep their order",
               .type = Type::Integer,
               .fallback = "1"})
      .option({.name = "img-style",
               .value = "CSS",
               .help = "style of the image instead of the hidden one"})
      .about(
          "All columns stay, new ones are appended, rows keep their order, and memory does not "
          "grow "
          "with the list. A row that cannot get a pixel ends the run (fail, nothing behind it is "
          "written), is left out (skip) or is kept with empty columns (mark).")
      .example(
          "pixel bulk -i list.csv -o out.csv --campaign spring --map recipient=id --columns "
          "pixelUrl",
          "one column more")
      .example(
          "pixel bulk -i list.jsonl --campaign spring --on-error mark --columns pixelId,pixelError",
          "keep bad rows and say why")
      .example("pixel bulk -i list.csv -o out.csv --campaign spring --jobs 2", "on two threads")
      .exits(exit_code::kBadInput,
             "a row cannot get a pixel and --on-error is fail; a column is missing")
      .exits(exit_code::kPartly, "some rows got no pixel")
      .runs(bulk);
}

}  // namespace edge::cli::commands
