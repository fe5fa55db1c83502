// SPDX-License-Identifier: MIT
// Looking at events that are stored, and whether a file of them is good.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/event_options.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "cli/stored_events.h"
#include "core/events/draft.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::size_t kPage = 200;

Result<int> list(Call& call) {
  const auto limit = call.integer("limit");
  const auto filter = filter_of(call.has("where") ? call["where"] : "exists type");
  if (limit < 0 || !filter) {
    return Failure(filter ? usage_error("--limit is too small", "limit") : filter.error());
  }
  StoredEvents stored(call);
  storage::Find query = choice_of(call);
  query.limit = kPage;
  std::vector<std::string> records;
  bool more = limit > 0;
  while (more) {
    auto page = stored.before(query);
    if (!page) {
      return Failure(page.error());
    }
    for (std::string& text : page->events) {
      const auto event = json::Document::parse(text, json::kEvent);
      if (event && filter->takes(event->root(), call.clock().now()) &&
          records.size() < static_cast<std::size_t>(limit)) {
        records.push_back(std::move(text));
      }
    }
    more = page->next && records.size() < static_cast<std::size_t>(limit);
    query.before = page->next.value_or(0);
  }
  return call.print(Listing{.schema = "edge.events/1",
                            .name = "events",
                            .columns = {{"received", "/receivedAt"},
                                        {"type", "/type"},
                                        {"event", "/event"},
                                        {"user", "/userId"},
                                        {"anonymous", "/anonymousId"},
                                        {"message", "/messageId"}},
                            .records = std::move(records)});
}

Result<int> show(Call& call) {
  const std::string id = call["ID"];
  const auto report = StoredEvents(call).report(id);
  if (!report) {
    return Failure(
        report.error().code == ErrorCode::NotFound
            ? Error{ErrorCode::NotFound, fmt::format("no event has the message id \"{}\"", id)}
            : report.error());
  }
  return call.print(Document{.json = R"({"schema":"edge.event/1",)" + report->substr(1)});
}

Result<int> validate(Call& call) {
  const auto lines = call.open_lines(call["input"]);
  if (!lines) {
    return Failure(lines.error());
  }
  Ids ids(call.random());
  std::vector<std::string> problems;
  std::size_t good = 0;
  std::string line;
  for (;;) {
    const auto next = (*lines)->next_filled(line);
    if (!next) {
      return Failure(next.error());
    }
    if (!*next) {
      break;
    }
    const auto document = json::Document::parse(line, json::kEvent);
    const auto draft = document ? events::normalise(document->root(),
                                                    {.has_duplicates = document->has_duplicates()},
                                                    call.clock().now(),
                                                    ids)
                                : Result<events::Draft>(Failure(document.error()));
    if (draft) {
      ++good;
      continue;
    }
    json::Writer out;
    out.begin_object()
        .member("file", (*lines)->name())
        .member("line", std::uint64_t{(*lines)->number()})
        .member("code", document ? draft.error().reason : "bad_json")
        .member("message", draft.error().message);
    problems.push_back(out.end_object().take());
  }
  call.note(fmt::format("{} good, {} bad", good, problems.size()));
  const bool is_good = problems.empty();
  const auto printed = call.print(Listing{
      .schema = "edge.event-problems/1",
      .name = "problems",
      .columns = {{"file", "/file"}, {"line", "/line"}, {"code", "/code"}, {"message", "/message"}},
      .records = std::move(problems)});
  return printed && !is_good ? Result<int>(1) : printed;
}

}  // namespace

void events(Tree& tree) {
  tree.noun("events", Section::Send, "Events that are stored, and that come");
  with_filter(with_choice(tree.command("events list", "List stored events, newest first")),
              "those received from then on")
      .option({.name = "limit",
               .value = "N",
               .help = "at most so many",
               .type = Type::Integer,
               .fallback = "20"})
      .example("events list --user u-42", "what one person did")
      .example("events list --where 'properties.total > 100' --json", "for a script")
      .output("events", kEventsSchema)
      .runs(list);
  tree.command("events show", "Show one event: deliveries, profile, segments")
      .positional({.name = "ID", .help = "its messageId", .required = true})
      .example("events show order-17", "where it went and what it did")
      .output("event",
              R"({"type":"object","required":["schema","event","source","profile","segments",)"
              R"("destinations"],"properties":{"schema":{"const":"edge.event/1"},)"
              R"("event":{"type":"object"},"profile":{"type":["string","null"]},)"
              R"("segments":{"type":"array"},"destinations":{"type":"array"}}})")
      .exits(5, "no event has that id")
      .runs(show);
  tree.command("events validate", "Check size and shape of events in a file, line by line")
      .reads_input()
      .about("No daemon and no store is needed; the rules are those of taking events in.")
      .example("events validate -i events.jsonl", "before sending them")
      .output("event-problems",
              R"({"type":"object","required":["schema","problems"],"properties":{"schema":)"
              R"({"const":"edge.event-problems/1"},"problems":{"type":"array"}}})")
      .exits(1, "at least one event would be refused")
      .see("edgectl send")
      .runs(validate);
}

}  // namespace edge::cli::commands
