// SPDX-License-Identifier: MIT
// Dead letters: what a destination did not take. Asked of the running daemon, else read from the
// local store.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
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

/// The letters of one destination (empty: of all) as JSON objects, newest first.
Result<std::vector<std::string>> letters_of_daemon(Remote& daemon, const std::string& destination) {
  std::vector<std::string> records;
  std::string cursor;
  for (;;) {
    const auto answer =
        daemon.get(fmt::format("/cdp/dead-letters?limit=200&destination={}&cursor={}",
                               encoding::percent_encode(destination),
                               encoding::percent_encode(cursor)));
    const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                                 : Result<json::Document>(Failure(answer.error()));
    if (!document) {
      return Failure(document.error());
    }
    const auto items = document->root().find("items");
    for (const json::Value item : items ? items->elements() : json::Elements{}) {
      records.emplace_back(item.raw());
    }
    cursor = text_in(document->root(), "next");
    if (cursor.empty()) {
      return records;
    }
  }
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

/// The body of `POST /cdp/dead-letters/replay`.
Result<std::string> selection(const Call& call) {
  const auto ids = call.all("ID");
  const bool others = call.flag("all") || call.has("destination") || call.has("reason");
  if (ids.empty() != others) {
    return Failure(usage_error("say which: IDs, or --destination, --reason or --all"));
  }
  json::Writer out;
  out.begin_object();
  if (!ids.empty()) {
    out.key("ids").begin_array();
    for (const std::string& id : ids) {
      out.string(id);
    }
    out.end_array();
  }
  if (call.has("destination")) {
    out.member("destination", call["destination"]);
  }
  if (call.has("reason")) {
    out.member("reason", call["reason"]);
  }
  return out.member("all", call.flag("all")).end_object().take();
}

/// Without a daemon the letters are delivered right here, as far as they can be now.
Result<delivery::Replayed> retry_here(Call& call) {
  Edge& edge = call.edge();
  auto& letters = edge.forwarders.dead_letters();
  const auto ids = call.all("ID");
  auto handed = ids.empty() ? letters.retry(delivery::LetterQuery{
                                  .destination = call["destination"], .reason = call["reason"]})
                            : letters.retry(ids);
  if (handed) {
    if (auto done = edge.forwarders.run_until_idle(); !done) {
      return Failure(done.error());
    }
  }
  return handed;
}

Result<int> retry(Call& call) {
  const auto body = selection(call);
  if (!body) {
    return Failure(body.error());
  }
  if (call.dry_run()) {
    call.note("would hand back the chosen dead letters for delivery");
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
    const auto handed = retry_here(call);
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

Result<int> discard(Call& call) {
  Remote* daemon = call.dry_run() ? nullptr : call.running_daemon();
  for (const std::string& id : call.all("ID")) {
    if (call.dry_run()) {
      call.note(fmt::format("would discard {}", id));
      continue;
    }
    Result<void> done;
    if (daemon != nullptr) {
      done = daemon->send("DELETE", "/cdp/dead-letters/" + encoding::percent_encode(id))
                 .map([](const transport::IncomingResponse&) {});
    } else {
      done = call.edge().forwarders.dead_letters().erase(id);
    }
    if (!done) {
      return Failure(done.error());
    }
  }
  return exit_code::kDone;
}

}  // namespace

void dlq(Tree& tree) {
  tree.noun("dlq", Section::Manage, "Events that were given up");
  tree.command("dlq list", "List dead letters, newest first")
      .positional({.name = "DESTINATION",
                   .help = "only those of this destination",
                   .complete = Complete::Destinations})
      .option({.name = "by",
               .value = "WHAT",
               .help = "count them by reason or destination",
               .choices = {"reason", "destination"}})
      .example("dlq list --by reason", "what goes wrong, and how often")
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
      .positional({.name = "ID", .help = "from dlq list", .repeatable = true})
      .option({.name = "destination",
               .value = "NAME",
               .help = "all of this destination",
               .complete = Complete::Destinations})
      .option({.name = "reason", .value = "REASON", .help = "all with this reason"})
      .flag("all", "all there are")
      .changes()
      .example("dlq retry --destination crm", "after the receiver was repaired")
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
}

}  // namespace edge::cli::commands
