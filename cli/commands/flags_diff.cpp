// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/command.h"
#include "cli/commands/crowd_options.h"
#include "cli/commands/datafile_source.h"
#include "cli/commands/flags_difference.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/flags/diff.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using flags::Change;

/// When a difference is a failure.
struct FailOn {
  bool anything = true;  ///< nothing was given: every difference
  bool removed = false;
  bool changed = false;
  std::optional<double> moved_percent = {};
};

Result<FailOn> fail_on_of(const Call& call) {
  FailOn fail_on;
  for (const std::string& text : call.all("fail-on")) {
    fail_on.anything = false;
    double percent = 0;
    const char* end = text.data() + text.size() - (text.ends_with('%') ? 1 : 0);
    constexpr std::size_t kMoved = 6;  // length of `moved>`
    if (text == "removed") {
      fail_on.removed = true;
    } else if (text == "changed") {
      fail_on.changed = true;
    } else if (text.starts_with("moved>") && text.size() > kMoved &&
               std::from_chars(text.data() + kMoved, end, percent).ptr == end) {
      fail_on.moved_percent = percent;
    } else {
      return Failure(usage_error(
          fmt::format("--fail-on \"{}\" is none of removed, changed, moved>PERCENT", text),
          "fail-on"));
    }
  }
  return fail_on;
}

void find_failures(Difference& difference, const FailOn& fail_on) {
  for (const Change& change : difference.changes) {
    const bool fails = fail_on.anything ||
                       (fail_on.removed && change.kind == Change::Kind::Removed) ||
                       (fail_on.changed && change.kind == Change::Kind::Changed);
    if (fails) {
      difference.failures.push_back(
          fmt::format("{} {}", subject_of(change), flags::name_of(change.kind)));
    }
  }
  for (const flags::FlagMoves& moves : difference.moves) {
    const double percent = moved_percent(moves);
    if (percent > fail_on.moved_percent.value_or(fail_on.anything ? 0 : 100)) {
      difference.failures.push_back(
          fmt::format("{:.2f} % of the users of {} moved", percent, moves.flag_key));
    }
  }
}

Result<int> print_difference(Call& call, const Difference& difference, bool has_users) {
  const int code = difference.failures.empty() ? exit_code::kDone : exit_code::kNo;
  if (call.format() == Format::JsonLines && call.layout().select.empty()) {
    for (const std::string& user : difference.moved_users) {
      call.out().write(user + "\n");
    }
    for (const Change& change : difference.changes) {
      json::Writer out;
      if (!has_users) {
        write(out, change);
        call.out().write(out.take() + "\n");
      }
    }
    return code;
  }
  const auto printed = call.print(Document{.json = difference_json(difference),
                                           .human = difference_text(difference, call.layout())});
  if (!printed) {
    return printed;
  }
  for (const std::string& failure : difference.failures) {
    if (call.has("fail-on")) {
      call.note(failure);
    }
  }
  return code;
}

Result<void> compare_users(Call& call,
                           const std::vector<std::string>& keys,
                           Difference& difference) {
  auto crowd = crowd_of(
      call,
      {.users = call.has("users") ? 0 : static_cast<std::uint64_t>(call.integer("simulate"))});
  if (!crowd) {
    return Failure(crowd.error());
  }
  const bool lists = call.format() == Format::JsonLines;
  auto moves = flags::compare_users(
      *difference.before.datafile,
      *difference.after.datafile,
      keys,
      *crowd,
      [lists, &difference](std::string_view flag, std::string_view user, auto from, auto to) {
        if (lists) {
          json::Writer out;
          out.begin_object().member("flagKey", flag).member("userId", user);
          write_optional(out, "from", from);
          write_optional(out, "to", to);
          difference.moved_users.push_back(out.end_object().take());
        }
      });
  if (!moves) {
    return Failure(moves.error());
  }
  difference.moves = std::move(*moves);
  return {};
}

Result<DatafileSource> side_of(Call& call, const std::string& place) {
  auto read = read_datafile(call, place);
  return read ? load_datafile_text(std::move(*read))
              : Result<DatafileSource>(Failure(read.error()));
}

Result<int> diff_datafiles(Call& call) {
  const auto fail_on = fail_on_of(call);
  if (!fail_on) {
    return Failure(fail_on.error());
  }
  const bool has_users = call.has("users") || call.has("simulate");
  if (call.has("users") && call.has("simulate")) {
    return Failure(usage_error("--users and --simulate exclude each other"));
  }
  if (call.has("simulate") && call.integer("simulate") < 1) {
    return Failure(usage_error("--simulate must be 1 or more", "simulate"));
  }
  if (!has_users && (call.has("attr") || call.has("dist"))) {
    return Failure(usage_error("--attr and --dist need --users or --simulate"));
  }
  if (fail_on->moved_percent && !has_users) {
    return Failure(usage_error("--fail-on moved>… needs --users or --simulate"));
  }
  const auto before = side_of(call, call["OLD"]);
  if (!before) {
    return Failure(before.error());
  }
  const auto after = side_of(call, call["NEW"]);
  if (!after) {
    return Failure(after.error());
  }
  const auto keys = call.all("flag");
  for (const std::string& key : keys) {
    if (before->datafile->find_flag(key) == nullptr && after->datafile->find_flag(key) == nullptr) {
      return fail_unknown_flag(call, key, *after);
    }
  }
  Difference difference{.before = *before, .after = *after};
  difference.changes = flags::compare(*before->datafile, *after->datafile, keys);
  if (has_users) {
    if (auto done = compare_users(call, keys, difference); !done) {
      return Failure(done.error());
    }
  }
  find_failures(difference, *fail_on);
  return print_difference(call, difference, has_users);
}

}  // namespace

void flags_diff(Tree& tree) {
  with_crowd_options(
      tree.command("flags diff", "Compare two datafiles, and what users get")
          .about("Without --fail-on every difference fails. With users, moved is who gets another "
                 "variation, or the same one switched on or off.")
          .positional({.name = "OLD",
                       .help = "the datafile in force: a file or URL",
                       .required = true,
                       .complete = Complete::Files})
          .positional({.name = "NEW",
                       .help = "the one that is to be",
                       .required = true,
                       .complete = Complete::Files}))
      .option(
          {.name = "simulate", .value = "N", .help = "draw this many users", .type = Type::Integer})
      .option(
          {.name = "flag", .value = "FLAG", .help = "compare this flag only", .repeatable = true})
      .option({.name = "fail-on",
               .value = "WHAT",
               .help = "exit 1 for removed, changed or moved>PERCENT only",
               .repeatable = true})
      .example("flags diff flags/prod.json flags/next.json", "what a new datafile changes")
      .example(
          "flags diff flags/prod.json flags/next.json --simulate 50000 "
          "--attr plan=pro --fail-on 'moved>5'",
          "who would get something else")
      .exits(exit_code::kNo, "they differ, or a --fail-on is met")
      .exits(exit_code::kBadInput, "a datafile or the users cannot be used")
      .exits(exit_code::kNotFound, "neither has the flag of --flag")
      .output("flags-diff", kDifferenceSchema)
      .runs(diff_datafiles);
}

}  // namespace edge::cli::commands
