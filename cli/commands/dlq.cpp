// SPDX-License-Identifier: MIT
// Dead letters: what a destination, or the consumer of a queue, did not take. Asked of the running
// daemon, else read from the local store.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/queue_letters.h"
#include "cli/commands/replay_letters.h"
#include "cli/exit_code.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/delivery/report.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

std::string text_in(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

std::string letter_json(const delivery::DeadLetter& letter, bool whole) {
  json::Writer out;
  out.begin_object();
  if (whole) {
    out.member("schema", "edge.dead-letter/1");
  }
  delivery::write_letter(out, letter, whole);
  return out.end_object().take();
}

Result<std::vector<std::string>> letters_here(Edge& edge, const std::string& destination) {
  std::vector<std::string> records;
  delivery::LetterQuery query{.destination = destination, .limit = 200};
  for (;;) {
    const auto page = edge.forwarders.dead_letters().list(query);
    if (!page) {
      return Failure(page.error());
    }
    for (const delivery::DeadLetter& letter : page->items) {
      records.push_back(letter_json(letter, false));
    }
    if (!page->next) {
      return records;
    }
    query.cursor = *page->next;
  }
}

/// How many per reason or per destination.
std::vector<std::string> grouped(const std::vector<std::string>& records, const std::string& by) {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& record : records) {
    const auto document = json::Document::parse(record, json::kApi);
    ++counts[document ? text_in(document->root(), by) : ""];
  }
  std::vector<std::string> groups;
  for (const auto& [name, count] : counts) {
    json::Writer out;
    out.begin_object().member(by, name).member("count", count).end_object();
    groups.push_back(out.take());
  }
  return groups;
}

Result<int> list(Call& call) {
  if (call.has("DESTINATION") && !call.has("by")) {
    if (auto letters = list_queue_letters(call, call["DESTINATION"]); !letters || *letters) {
      return letters ? Result<int>(**letters) : Failure(std::move(letters.error()));
    }
  }
  Remote* daemon = call.running_daemon();
  auto records = daemon != nullptr
                     ? letters_of_daemon(*daemon, call["DESTINATION"])
                     : letters_here(call.edge(Call::Access::Read), call["DESTINATION"]);
  if (!records) {
    return Failure(records.error());
  }
  Listing listing{.schema = "edge.dead-letters/1", .name = "items"};
  if (call.has("by")) {
    const bool by_reason = call["by"] == "reason";
    listing.columns = {
        {by_reason ? "reason" : "destination", by_reason ? "/reason" : "/destination"},
        {"count", "/count"}};
    listing.records = grouped(*records, call["by"]);
  } else {
    listing.columns = {{"id", "/id"},
                       {"destination", "/destination"},
                       {"message", "/messageId"},
                       {"reason", "/reason"},
                       {"attempts", "/attempts"},
                       {"last", "/lastAttemptAt"}};
    listing.records = std::move(*records);
  }
  return call.print(listing);
}

Result<int> show(Call& call) {
  if (Remote* daemon = call.running_daemon()) {
    const auto answer = daemon->get("/cdp/dead-letters/" + encoding::percent_encode(call["ID"]));
    if (!answer) {
      return Failure(answer.error());
    }
    return call.print(
        Document{.json = R"({"schema":"edge.dead-letter/1",)" + answer->body.substr(1)});
  }
  const auto letter = call.edge(Call::Access::Read).forwarders.dead_letters().find(call["ID"]);
  return letter ? call.print(Document{.json = letter_json(*letter, true)})
                : Failure(letter.error());
}

/// One letter with its event.
Result<std::string> whole_letter(Call& call, Remote* daemon, const std::string& id) {
  if (daemon != nullptr) {
    return daemon->get("/cdp/dead-letters/" + encoding::percent_encode(id))
        .map([](const transport::IncomingResponse& answer) { return answer.body; });
  }
  return call.edge(Call::Access::Read)
      .forwarders.dead_letters()
      .find(id)
      .map([](const delivery::DeadLetter& letter) { return letter_json(letter, true); });
}

/// The ids of the letters for which `--where` is true. Events are fetched only when it asks for
/// them.
Result<std::vector<std::string>> matching_ids(Call& call) {
  const auto filter = filter_of(call["where"]);
  if (!filter) {
    return Failure(filter.error());
  }
  Remote* const daemon = call.running_daemon();
  const auto records = daemon != nullptr ? letters_of_daemon(*daemon, call["destination"])
                                         : letters_here(call.edge(), call["destination"]);
  if (!records) {
    return Failure(records.error());
  }
  const bool asks_event = call["where"].find("event.") != std::string::npos;
  std::vector<std::string> ids;
  for (const std::string& record : *records) {
    auto document = json::Document::parse(record, json::kApi);
    std::string id = document ? text_in(document->root(), "id") : std::string();
    if (document && asks_event) {
      const auto letter = whole_letter(call, daemon, id);
      if (!letter) {
        return Failure(letter.error());
      }
      document = json::Document::parse(*letter, json::kEvent);
    }
    if (document && filter->takes(document->root(), call.clock().now())) {
      ids.push_back(std::move(id));
    }
  }
  return ids;
}

/// The body of `POST /cdp/dead-letters/replay`; `ids` are those given or found.
Result<std::string> selection(const Call& call, const std::vector<std::string>& ids) {
  const bool others = call.flag("all") || call.has("destination") || call.has("reason");
  if (!call.has("where") && ids.empty() != others) {
    return Failure(usage_error("say which: IDs, or --destination, --reason, --where or --all"));
  }
  json::Writer out;
  out.begin_object();
  if (!ids.empty()) {
    out.key("ids").begin_array();
    for (const std::string& id : ids) {
      out.string(id);
    }
    out.end_array();
    if (call.has("rate")) {
      out.member("rate", call["rate"]);
    }
    return out.member("all", false).end_object().take();
  }
  if (call.has("destination")) {
    out.member("destination", call["destination"]);
  }
  if (call.has("reason")) {
    out.member("reason", call["reason"]);
  }
  if (call.has("rate")) {
    out.member("rate", call["rate"]);
  }
  return out.member("all", call.flag("all")).end_object().take();
}

/// Without a daemon the letters are delivered right here, as far as they can be now.
Result<delivery::Replayed> retry_here(Call& call, const std::vector<std::string>& ids) {
  Edge& edge = call.edge();
  auto& letters = edge.forwarders.dead_letters();
  const double rate = call.has("rate") ? call.rate("rate").per_second : 0;
  auto handed = ids.empty()
                    ? letters.retry(delivery::LetterQuery{.destination = call["destination"],
                                                          .reason = call["reason"]},
                                    rate)
                    : letters.retry(ids, rate);
  if (handed) {
    if (auto done = edge.forwarders.run_until_idle(); !done) {
      return Failure(done.error());
    }
  }
  return handed;
}

Result<int> retry(Call& call) {
  auto ids = call.all("ID");
  if (ids.size() == 1) {
    if (auto done = retry_queue_letters(call, ids.front()); !done || *done) {
      return done ? Result<int>(**done) : Failure(std::move(done.error()));
    }
  }
  if (call.has("where")) {
    if (!ids.empty() || call.flag("all") || call.has("reason")) {
      return Failure(usage_error("--where stands alone or with --destination"));
    }
    auto found = matching_ids(call);
    if (!found) {
      return Failure(found.error());
    }
    ids = std::move(*found);
    if (ids.empty()) {
      return call.print(Document{
          .json = R"({"schema":"edge.dead-letter-retry/1","replayed":0,"quarantined":0})"});
    }
  }
  const auto body = selection(call, ids);
  if (!body) {
    return Failure(body.error());
  }
  if (call.dry_run()) {
    call.note(ids.empty() ? "would hand back the chosen dead letters for delivery"
                          : fmt::format("would hand back {} dead letters", ids.size()));
    return exit_code::kDone;
  }
  std::string counts;
  if (Remote* daemon = call.running_daemon()) {
    const auto answer = daemon->post("/cdp/dead-letters/replay", *body);
    if (!answer) {
      return Failure(answer.error());
    }
    counts = answer->body;
  } else {
    const auto handed = retry_here(call, ids);
    if (!handed) {
      return Failure(handed.error());
    }
    json::Writer out;
    out.begin_object().member("replayed", std::uint64_t{handed->replayed});
    counts = out.member("quarantined", std::uint64_t{handed->quarantined}).end_object().take();
  }
  return call.print(
      Document{.json = R"({"schema":"edge.dead-letter-retry/1",)" + counts.substr(1)});
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
  Remote* daemon = call.dry_run() ? nullptr : call.running_daemon();
  for (const std::string& id : call.all("ID")) {
    if (call.dry_run()) {
      call.note(fmt::format("would discard {}", id));
      continue;
    }
    if (auto done = discard_letter(call, daemon, id); !done) {
      return Failure(done.error());
    }
  }
  return exit_code::kDone;
}

/// Oldest first, so that a replay of the file keeps their order.
Result<int> export_letters(Call& call) {
  Remote* const daemon = call.running_daemon();
  const std::string destination = call["DESTINATION"];
  const auto ids = daemon != nullptr ? letters_of_daemon(*daemon, destination)
                                     : letters_here(call.edge(Call::Access::Read), destination);
  if (!ids) {
    return Failure(ids.error());
  }
  for (auto record = ids->rbegin(); record != ids->rend(); ++record) {
    const auto document = json::Document::parse(*record, json::kApi);
    const auto letter =
        whole_letter(call, daemon, document ? text_in(document->root(), "id") : std::string());
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

Result<int> purge(Call& call) {
  const std::string name = call["NAME"];
  if (auto done = purge_queue_letters(call, name); !done || *done) {
    return done ? Result<int>(**done) : Failure(std::move(done.error()));
  }
  Remote* const daemon = call.running_daemon();
  const auto access = call.dry_run() ? Call::Access::Read : Call::Access::Write;
  const auto records =
      daemon != nullptr ? letters_of_daemon(*daemon, name) : letters_here(call.edge(access), name);
  if (!records) {
    return Failure(records.error());
  }
  const auto agreed = confirm_purge(call, records->size(), name);
  if (!agreed || *agreed != Purge::Go) {
    return agreed ? Result<int>(*agreed == Purge::Refused ? exit_code::kNo : exit_code::kDone)
                  : Failure(agreed.error());
  }
  std::size_t removed = 0;
  for (const std::string& record : *records) {
    const auto document = json::Document::parse(record, json::kApi);
    const auto done =
        discard_letter(call, daemon, document ? text_in(document->root(), "id") : std::string());
    if (!done && done.error().code != ErrorCode::NotFound) {
      return Failure(done.error());
    }
    removed += done ? 1 : 0;
  }
  call.note(fmt::format("{} dead letters removed", removed));
  return exit_code::kDone;
}

void declare_many(Tree& tree) {
  tree.command("dlq export", "Print dead letters with their events and requests, one a line")
      .about("Oldest first, as JSON lines; nothing is removed.")
      .positional({.name = "DESTINATION",
                   .help = "only those of this destination",
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
  tree.noun("dlq", Section::Manage, "Events that were given up");
  tree.command("dlq list", "List dead letters, newest first")
      .positional({.name = "DESTINATION",
                   .help = "only those of this destination, or of this queue",
                   .complete = Complete::Destinations})
      .option({.name = "by",
               .value = "WHAT",
               .help = "count them by reason or destination",
               .choices = {"reason", "destination"}})
      .example("dlq list --by reason", "what goes wrong, and how often")
      .example("dlq list orders", "what the consumer of a queue did not take")
      .output("dead-letters",
              R"({"type":"object","required":["schema","items"],"properties":{"schema":)"
              R"({"const":"edge.dead-letters/1"},"items":{"type":"array"}}})")
      .runs(list);
  tree.command("dlq show", "Show one dead letter with its event and request")
      .positional({.name = "ID", .help = "from dlq list", .required = true})
      .example("dlq show 1763932453000-12-crm", "why it was given up")
      .output("dead-letter",
              R"({"type":"object","required":["schema","id","destination","reason","event"],)"
              R"("properties":{"schema":{"const":"edge.dead-letter/1"},"id":{"type":"string"}}})")
      .exits(exit_code::kNotFound, "no such dead letter")
      .runs(show);
  tree.command("dlq retry", "Hand dead letters back for delivery")
      .about(
          "They keep their ids, so a receiver that knows them takes them once. Each leaves when "
          "it is delivered; after five replays it stays.")
      .about(
          "The name of a queue instead of IDs puts its dead letters back into it, as messages that "
          "were never delivered.")
      .about(
          "With --rate they are handed back at once and go out one after the other; without a "
          "daemon those that are not due yet wait for one.")
      .positional({.name = "ID", .help = "from dlq list, or a queue", .repeatable = true})
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
      .runs(retry);
  tree.command("dlq discard", "Remove dead letters for good")
      .positional({.name = "ID", .help = "from dlq list", .required = true, .repeatable = true})
      .changes()
      .example("dlq discard 1763932453000-12-crm", "nobody wants it")
      .exits(exit_code::kNotFound, "no such dead letter")
      .runs(discard);
  declare_many(tree);
}

}  // namespace edge::cli::commands
