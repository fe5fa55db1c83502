// SPDX-License-Identifier: MIT
// Dead letters: what a destination, or the consumer of a queue, did not take. Asked of the running
// daemon, else read from the local store.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "cli/command.h"
#include "cli/commands/dlq_retry.h"
#include "cli/commands/letter_list.h"
#include "cli/commands/queue_letters.h"
#include "cli/exit_code.h"
#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/members.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

/// How many per reason or per destination.
std::vector<std::string> grouped(const std::vector<std::string>& records, const std::string& by) {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& record : records) {
    const auto document = json::Document::parse(record, json::kApi);
    ++counts[document ? json::text_in(document->root(), by) : ""];
  }
  std::vector<std::string> groups;
  for (const auto& [name, count] : counts) {
    json::Writer out;
    out.begin_object().member(by, name).member("count", count).end_object();
    groups.push_back(out.take());
  }
  return groups;
}

using Columns = std::vector<Column>;  // views of texts that stay

Result<int> print_list(Call& call, std::vector<std::string> records, bool is_queue) {
  Listing listing{.schema = "edge.dead-letters/1", .name = "items"};
  if (call.has("by")) {
    const std::string by = call["by"] == "reason" ? "reason" : is_queue ? "queue" : "destination";
    listing.columns = by == "reason" ? Columns{{"reason", "/reason"}}
                      : is_queue     ? Columns{{"queue", "/queue"}}
                                     : Columns{{"destination", "/destination"}};
    listing.columns.push_back({"count", "/count"});
    listing.records = grouped(records, by);
  } else if (is_queue) {
    listing.columns = {{"id", "/id"},
                       {"queue", "/queue"},
                       {"reason", "/reason"},
                       {"attempts", "/attempts"},
                       {"sent", "/sent"}};
    listing.records = std::move(records);
  } else {
    listing.columns = {{"id", "/id"},
                       {"destination", "/destination"},
                       {"message", "/messageId"},
                       {"reason", "/reason"},
                       {"attempts", "/attempts"},
                       {"last", "/lastAttemptAt"}};
    listing.records = std::move(records);
  }
  return call.print(listing);
}

Result<int> list(Call& call) {
  const auto queue = letters_of_queue(call, call["NAME"], Call::Access::Read);
  if (!queue) {
    return Failure(queue.error());
  }
  if (*queue) {
    std::vector<std::string> records;
    for (auto letter = (*queue)->rbegin(); letter != (*queue)->rend(); ++letter) {
      records.push_back(queue_letter_json(*letter, false));
    }
    return print_list(call, std::move(records), true);
  }
  auto records = letters_of(call, call["NAME"], Call::Access::Read);
  return records ? print_list(call, std::move(*records), false) : Failure(records.error());
}

Result<int> show(Call& call) {
  if (is_message_id(call["ID"])) {
    const auto found = find_queue_letters(*open_queues(call, Call::Access::Read), {call["ID"]});
    return found ? call.print(Document{.json = queue_letter_json(found->front(), true)})
                 : Failure(found.error());
  }
  const auto letter = whole_letter(call, call.running_daemon(), call["ID"]);
  return letter ? call.print(
                      Document{.json = R"({"schema":"edge.dead-letter/1",)" + letter->substr(1)})
                : Failure(letter.error());
}

Result<void> discard_letter(Call& call, Remote* daemon, const std::string& id) {
  if (daemon == nullptr) {
    return call.edge().forwarders.dead_letters().erase(id,
                                                       delivery::DeadLetters::Leaving::Discarded);
  }
  return daemon->send("DELETE", "/cdp/dead-letters/" + encoding::percent_encode(id))
      .map([](const transport::IncomingResponse&) {});
}

Result<int> discard(Call& call) {
  auto ids = call.all("ID");
  if (call.dry_run()) {
    for (const std::string& id : ids) {
      call.note(fmt::format("would discard {}", id));
    }
    return exit_code::kDone;
  }
  const auto messages = take_message_ids(ids);
  Remote* const daemon = call.running_daemon();
  for (const std::string& id : ids) {
    if (auto done = discard_letter(call, daemon, id); !done) {
      return Failure(done.error());
    }
  }
  if (!messages.empty()) {
    const auto store = open_queues(call, Call::Access::Write);
    const auto found = find_queue_letters(*store, messages);
    const auto done = found ? discard_queue_letters(*store, *found) : Failure(found.error());
    if (!done) {
      return Failure(done.error());
    }
  }
  return exit_code::kDone;
}

/// Oldest first, so that a replay of the file keeps their order.
Result<int> export_letters(Call& call) {
  const std::string name = call["NAME"];
  const auto queue = letters_of_queue(call, name, Call::Access::Read);
  if (!queue) {
    return Failure(queue.error());
  }
  if (*queue) {
    for (const QueueLetter& letter : **queue) {
      call.out().line(queue_letter_json(letter, true));
    }
    return exit_code::kDone;
  }
  Remote* const daemon = call.running_daemon();
  const auto ids = letters_of(call, name, Call::Access::Read);
  if (!ids) {
    return Failure(ids.error());
  }
  for (auto record = ids->rbegin(); record != ids->rend(); ++record) {
    const auto document = json::Document::parse(*record, json::kApi);
    const auto letter = whole_letter(
        call, daemon, document ? json::text_in(document->root(), "id") : std::string());
    if (!letter && letter.error().code == ErrorCode::NotFound) {
      continue;  // delivered or removed meanwhile
    }
    if (!letter) {
      return Failure(letter.error());
    }
    call.out().line(*letter);
  }
  return exit_code::kDone;
}

/// Removes letters of destinations; how many were still there.
Result<std::size_t> discard_all(Call& call, const std::vector<std::string>& records) {
  Remote* const daemon = call.running_daemon();
  std::size_t removed = 0;
  std::size_t waiting = 0;
  for (const std::string& record : records) {
    const auto document = json::Document::parse(record, json::kApi);
    const auto done = discard_letter(
        call, daemon, document ? json::text_in(document->root(), "id") : std::string());
    if (!done && done.error().reason == "replaying") {
      ++waiting;
      continue;
    }
    if (!done && done.error().code != ErrorCode::NotFound) {
      return Failure(done.error());
    }
    removed += done ? 1 : 0;
  }
  if (waiting > 0) {
    call.note(fmt::format("{} stay: they wait to be delivered again", waiting));
  }
  return removed;
}

Result<int> purge(Call& call) {
  const std::string name = call["NAME"];
  const auto access = call.dry_run() ? Call::Access::Read : Call::Access::Write;
  const auto queue = letters_of_queue(call, name, access);
  const auto records = !queue   ? Result<std::vector<std::string>>(Failure(queue.error()))
                       : *queue ? Result<std::vector<std::string>>({})
                                : letters_of(call, name, access);
  if (!records) {
    return Failure(records.error());
  }
  const std::size_t count = *queue ? (*queue)->size() : records->size();
  const auto agreed = confirm_purge(call, count, name);
  if (!agreed || *agreed != Purge::Go) {
    return agreed ? Result<int>(*agreed == Purge::Refused ? exit_code::kNo : exit_code::kDone)
                  : Failure(agreed.error());
  }
  const auto removed =
      *queue ? discard_queue_letters(*open_queues(call, access), **queue).map([count] {
        return count;
      })
             : discard_all(call, *records);
  if (!removed) {
    return Failure(removed.error());
  }
  call.note(fmt::format("{} dead letters removed", *removed));
  return exit_code::kDone;
}

void declare_many(Tree& tree) {
  tree.command("dlq export", "Print dead letters whole, one a line")
      .about(
          "Oldest first, as JSON lines: those of destinations with event and request, those of a "
          "queue with their body. Nothing is removed.")
      .positional({.name = "NAME",
                   .help = "only those of this destination, or of this queue",
                   .complete = Complete::Destinations})
      .example("dlq export crm -o dead.jsonl", "to look into them elsewhere")
      .runs(export_letters);
  tree.command("dlq purge", "Remove all dead letters of a destination or a queue for good")
      .positional({.name = "NAME",
                   .help = "a queue, or a destination",
                   .required = true,
                   .complete = Complete::Destinations})
      .about("Its name must be typed, or --yes given.")
      .changes()
      .example("dlq purge crm --yes", "nobody wants them")
      .exits(exit_code::kNo, "another name was typed")
      .runs(purge);
}

}  // namespace

void dlq(Tree& tree) {
  tree.noun("dlq", Section::Manage, "Events and messages that were given up");
  tree.command("dlq list", "List dead letters, newest first")
      .positional({.name = "NAME",
                   .help = "those of this queue, or only those of this destination",
                   .complete = Complete::Destinations})
      .about("Without a name those of all destinations; those of queues are asked for by name.")
      .option({.name = "by",
               .value = "WHAT",
               .help = "count them by reason or destination (for a queue: queue)",
               .choices = {"reason", "destination"}})
      .example("dlq list --by reason", "what goes wrong, and how often")
      .example("dlq list orders", "what the consumer of a queue did not take")
      .output("dead-letters",
              R"({"type":"object","required":["schema","items"],"properties":{"schema":)"
              R"({"const":"edge.dead-letters/1"},"items":{"type":"array"}}})")
      .runs(list);
  tree.command("dlq show", "Show one dead letter: its event and request, or its body")
      .positional({.name = "ID", .help = "from dlq list", .required = true})
      .example("dlq show 1763932453000-12-crm", "why it was given up")
      .output("dead-letter",
              R"({"type":"object","required":["schema","id","reason"],"properties":{"schema":)"
              R"({"const":"edge.dead-letter/1"},"id":{"type":"string"},"destination":)"
              R"({"type":"string"},"event":{"type":"object"},"queue":{"type":"string"}}})")
      .exits(exit_code::kNotFound, "no such dead letter")
      .runs(show);
  tree.command("dlq retry", "Hand dead letters back for delivery")
      .about(
          "They keep their ids, so a receiver that knows them takes them once. Each leaves when "
          "it is delivered; after five replays it stays.")
      .about(
          "Those of a queue, given by their IDs or all by its name, go back into it as messages "
          "that were never delivered; given by ID they get a new one.")
      .about(
          "With --rate they are handed back at once and go out one after the other (those that "
          "--where finds, a thousand at a time); without a daemon those that are not due yet wait "
          "for one.")
      .positional(
          {.name = "ID", .help = "from dlq list, or the name of a queue", .repeatable = true})
      .option({.name = "destination",
               .value = "NAME",
               .help = "all of this destination",
               .complete = Complete::Destinations})
      .option({.name = "reason", .value = "REASON", .help = "all with this reason"})
      .option({.name = "where",
               .value = "EXPR",
               .help = "those for which this is true; event.… looks into the event"})
      .flag("all", "all there are")
      .option({.name = "rate",
               .value = "RATE",
               .help = "at most so many events per time",
               .type = Type::Rate})
      .changes()
      .example("dlq retry --destination crm", "after the receiver was repaired")
      .example("dlq retry orders", "a queue, after its consumer was repaired")
      .example("dlq retry --where 'reason ~ \"^http_5\"'", "those that a broken server refused")
      .output("dead-letter-retry",
              R"({"type":"object","required":["schema","replayed"],"properties":{"schema":)"
              R"({"const":"edge.dead-letter-retry/1"},"replayed":{"type":"integer"}}})")
      .exits(exit_code::kNotFound, "no such dead letter")
      .runs(retry_letters);
  tree.command("dlq discard", "Remove dead letters for good")
      .positional({.name = "ID", .help = "from dlq list", .required = true, .repeatable = true})
      .changes()
      .example("dlq discard 1763932453000-12-crm", "nobody wants it")
      .exits(exit_code::kNotFound, "no such dead letter")
      .runs(discard);
  declare_many(tree);
}

}  // namespace edge::cli::commands
