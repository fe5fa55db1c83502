// SPDX-License-Identifier: MIT
// Recipients whose opens and clicks are counted without their identity. Asked of the running
// daemon, else kept in the local store.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "cli/remote_list.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/stats.h"

namespace edge::cli::commands {
namespace {

/// The recipients of the positionals; `-` stands for the lines of standard input.
Result<std::vector<std::string>> recipients_of(Call& call) {
  std::vector<std::string> all;
  for (const std::string& word : call.all("RECIPIENT")) {
    if (word != "-") {
      all.push_back(word);
      continue;
    }
    const auto lines = call.open_lines("-");
    std::string line;
    while (lines) {
      const auto more = (*lines)->next(line);
      if (!more) {
        return Failure(more.error());
      }
      if (!*more) {
        break;
      }
      if (line.ends_with('\r')) {
        line.pop_back();
      }
      if (!line.empty()) {
        all.push_back(line);
      }
    }
  }
  return all;
}

std::string target_of(const std::string& recipient, const std::string& list) {
  return fmt::format("/pixel/optouts/{}?list={}",
                     encoding::percent_encode(recipient),
                     encoding::percent_encode(list));
}

/// Adds or removes one; whether something changed.
Result<bool> change(Call& call, Remote* daemon, const std::string& recipient, bool add) {
  const std::string list = call["list"];
  if (daemon == nullptr) {
    auto& opt_outs = call.edge().pixels.opt_outs;
    return add ? opt_outs.add(recipient, list, "command") : opt_outs.remove(recipient, list);
  }
  const auto answer = daemon->exchange(add ? "PUT" : "DELETE", target_of(recipient, list));
  if (!answer) {
    return Failure(answer.error());
  }
  if (!add && answer->status == 404) {
    return false;
  }
  if (answer->status >= 300) {
    return Failure(error_of(*answer));
  }
  return !add || answer->status == 201;
}

Result<int> change_all(Call& call, bool add) {
  const auto recipients = recipients_of(call);
  if (!recipients) {
    return Failure(recipients.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would {} {} recipients", add ? "add" : "remove", recipients->size()));
    return exit_code::kDone;
  }
  Remote* daemon = call.running_daemon();
  std::uint64_t changed = 0;
  for (const std::string& recipient : *recipients) {
    const auto done = change(call, daemon, recipient, add);
    if (!done) {
      return Failure(done.error());
    }
    changed += *done ? 1U : 0U;
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.optout-change/1").member("list", call["list"]);
  out.member("changed", changed);
  out.member("unchanged", std::uint64_t{recipients->size()} - changed).end_object();
  return call.print(Document{.json = out.take()});
}

/// All entries of a list as JSON objects.
Result<std::vector<std::string>> entries_of_daemon(Remote& daemon, const std::string& list) {
  return list_of(
      daemon, "/pixel/optouts?limit=1000&list=" + encoding::percent_encode(list), "items");
}

Result<std::vector<std::string>> entries_here(Edge& edge, const std::string& list) {
  std::vector<std::string> records;
  std::string cursor;
  do {
    const auto page = edge.pixels.opt_outs.list(list, cursor, 1'000);
    if (!page) {
      return Failure(page.error());
    }
    for (const pixels::OptOut& entry : page->items) {
      json::Writer out;
      pixels::write_opt_out(out, entry);
      records.push_back(out.take());
    }
    cursor = page->next.value_or("");
  } while (!cursor.empty());
  return records;
}

Result<int> list(Call& call) {
  Remote* daemon = call.running_daemon();
  auto records = daemon != nullptr ? entries_of_daemon(*daemon, call["list"])
                                   : entries_here(call.edge(Call::Access::Read), call["list"]);
  if (!records) {
    return Failure(records.error());
  }
  return call.print(
      Listing{.schema = "edge.optouts/1",
              .name = "items",
              .columns = {{"recipient", "/recipientId"}, {"since", "/since"}, {"by", "/by"}},
              .records = std::move(*records)});
}

constexpr std::string_view kChangeSchema =
    R"({"type":"object","required":["schema","list","changed","unchanged"],"properties":{)"
    R"("schema":{"const":"edge.optout-change/1"},"list":{"type":"string"},)"
    R"("changed":{"type":"integer"},"unchanged":{"type":"integer"}}})";

Command& with_list(Command& command) {
  return command.option(
      {.name = "list", .value = "L", .help = "list it is about; default: the one without a name"});
}

}  // namespace

void optout(Tree& tree) {
  tree.noun("optout", Section::Manage, "Recipients whose opens and clicks carry no identity");
  with_list(tree.command("optout add", "Put recipients on an opt-out list"))
      .positional({.name = "RECIPIENT",
                   .value = "ID|-",
                   .help = "recipients; - reads lines of standard input",
                   .required = true,
                   .repeatable = true})
      .changes()
      .about(
          "Opens and clicks of a recipient on any list are counted, but not who it was. One-click "
          "unsubscribe adds to the list that its token names.")
      .example("optout add u-42", "one")
      .example("optout add --list news - <left.txt", "many, one per line")
      .exits(exit_code::kBadInput, "an id cannot be used")
      .output("optout-change", kChangeSchema)
      .runs([](Call& call) { return change_all(call, true); });
  with_list(tree.command("optout remove", "Take recipients off an opt-out list"))
      .positional({.name = "RECIPIENT",
                   .value = "ID|-",
                   .help = "recipients; - reads lines of standard input",
                   .required = true,
                   .repeatable = true})
      .changes()
      .example("optout remove --list news u-42", "when they asked for it")
      .output("optout-change", kChangeSchema)
      .runs([](Call& call) { return change_all(call, false); });
  with_list(tree.command("optout list", "Show an opt-out list"))
      .example("optout list --list news --format csv", "as a table")
      .output("optouts",
              R"({"type":"object","required":["schema","items"],"properties":{"schema":)"
              R"({"const":"edge.optouts/1"},"items":{"type":"array","items":{"type":"object",)"
              R"("required":["recipientId","list","since","by"]}}}})")
      .runs(list);
}

}  // namespace edge::cli::commands
