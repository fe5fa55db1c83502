// SPDX-License-Identifier: MIT
// Looking at events: those that are stored, those that come, and whether a file of them is good.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/event_report.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

constexpr std::chrono::milliseconds kLook{300};
constexpr std::size_t kPage = 200;
constexpr std::size_t kRemembered = 20'000;

/// Stored events, newest first.
struct Page {
  std::vector<std::string> events = {};
  std::string next = {};  ///< the cursor of the next page; empty: there is none
};

std::string member(json::Value event, std::string_view name) {
  const auto value = event.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

Result<Page> page_there(Call& call, Remote& daemon, const std::string& cursor, Time since) {
  const auto given = [&](std::string_view name, std::string_view option) {
    return call.has(option) ? fmt::format("&{}={}", name, encoding::percent_encode(call[option]))
                            : std::string();
  };
  std::string target = fmt::format("/cdp/events?limit={}", kPage);
  target += given("type", "type") + given("event", "event") + given("userId", "user");
  target += cursor.empty() ? "" : "&cursor=" + cursor;
  target += since == Time{} ? "" : "&since=" + encoding::percent_encode(events::format_time(since));
  const auto answer = daemon.get(target);
  const auto document = answer ? json::Document::parse(answer->body, json::kEvent)
                               : Result<json::Document>(Failure(answer.error()));
  const auto items = document ? document->root().find("items") : std::nullopt;
  if (!items) {
    return Failure(document ? Error{ErrorCode::Internal, "the daemon's answer cannot be read"}
                            : document.error());
  }
  Page page{.next = member(document->root(), "next")};
  for (const json::Value item : items->elements()) {
    page.events.emplace_back(item.raw());
  }
  return page;
}

Result<Page> page_here(Call& call, const std::string& cursor, Time since) {
  storage::Find find{.stream = events::kStream,
                     .user = call["user"],
                     .name = call["event"],
                     .since = since == Time{} ? 0 : to_ms(since),
                     .before = cursor.empty() ? 0 : std::stoull(cursor),
                     .limit = kPage};
  if (call.has("type")) {
    find.kind = static_cast<std::uint32_t>(*events::type_of(call["type"]));
  }
  const auto found = call.edge(Call::Access::Read)
                         .store.find(find, storage::Deadline::in(std::chrono::seconds(5)));
  if (!found) {
    return Failure(found.error());
  }
  Page page{.next = found->next ? std::to_string(*found->next) : std::string()};
  for (const storage::RecordPointer& record : found->records) {
    if (const auto event = events::Event::decode(record->body)) {
      page.events.push_back(events::without_internals(*event));
    }
  }
  return page;
}

/// Calls `visit` with events, newest first, as long as it says so.
Result<void> each_event(Call& call,
                        Time since,
                        const std::function<bool(const std::string&, json::Value)>& visit) {
  Remote* const daemon = call.running_daemon();
  std::string cursor;
  do {
    const auto page = daemon != nullptr ? page_there(call, *daemon, cursor, since)
                                        : page_here(call, cursor, since);
    if (!page) {
      return Failure(page.error());
    }
    for (const std::string& text : page->events) {
      const auto event = json::Document::parse(text, json::kEvent);
      if (event && !visit(text, event->root())) {
        return {};
      }
    }
    cursor = page->next;
  } while (!cursor.empty());
  return {};
}

Result<std::size_t> positive(const Call& call, std::string_view option) {
  const std::int64_t number = call.integer(option);
  if (number < 0) {
    return Failure(usage_error(fmt::format("--{} is too small", option), std::string(option)));
  }
  return static_cast<std::size_t>(number);
}

/// What `--where` takes; without it every event, as each has a type.
Result<profiles::ObjectFilter> where_of(const Call& call) {
  return filter_of(call.has("where") ? call["where"] : "exists type");
}

Result<int> list(Call& call) {
  const auto limit = positive(call, "limit");
  const auto filter = where_of(call);
  if (!limit || !filter) {
    return Failure(limit ? filter.error() : limit.error());
  }
  std::vector<std::string> records;
  const Time since = call.has("since") ? call.time("since") : Time{};
  const auto read = each_event(call, since, [&](const std::string& text, json::Value event) {
    if (filter->takes(event, call.clock().now())) {
      records.push_back(text);
    }
    return records.size() < *limit;
  });
  if (!read) {
    return Failure(read.error());
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
  Remote* const daemon = call.running_daemon();
  auto report =
      daemon != nullptr
          ? daemon->get("/cdp/events/" + encoding::percent_encode(id))
                .map([](const transport::IncomingResponse& answer) { return answer.body; })
          : event_report(call.edge(Call::Access::Read), id);
  if (!report) {
    return Failure(
        report.error().code == ErrorCode::NotFound
            ? Error{ErrorCode::NotFound, fmt::format("no event has the message id \"{}\"", id)}
            : report.error());
  }
  return call.print(Document{.json = R"({"schema":"edge.event/1",)" + report->substr(1)});
}

/// Finds events that were not there at the last look.
class Watch {
 public:
  Watch(Call& call, Time since) : call_(call), since_(since) {}

  /// New ones, oldest first, at most `limit` (the newest).
  Result<std::vector<std::string>> look(std::size_t limit) {
    std::vector<std::string> fresh;
    const auto read = each_event(call_, since_, [&](const std::string& text, json::Value event) {
      std::string id = member(event, "messageId");
      if (seen_.contains(id)) {
        return false;
      }
      remember(std::move(id));
      if (fresh.size() < limit) {
        fresh.push_back(text);
      }
      return fresh.size() < limit;
    });
    if (!read) {
      return Failure(read.error());
    }
    std::ranges::reverse(fresh);
    return fresh;
  }

 private:
  void remember(std::string id) {
    order_.push_back(id);
    seen_.insert(std::move(id));
    if (order_.size() > kRemembered) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
  }

  Call& call_;
  const Time since_;
  std::set<std::string> seen_;
  std::deque<std::string> order_;
};

/// One line: time, id, type, who, what.
std::string line_of(json::Value event) {
  const std::string user = member(event, "userId");
  std::string name = member(event, "event");
  name = name.empty() ? member(event, "name") : name;
  return fmt::format("{}  {}  {:<8}  {}  {}",
                     member(event, "receivedAt"),
                     member(event, "messageId"),
                     member(event, "type"),
                     user.empty() ? member(event, "anonymousId") : user,
                     name);
}

Result<int> tail(Call& call) {
  const auto count = positive(call, "number");
  const auto filter = where_of(call);
  if (!count || !filter) {
    return Failure(count ? filter.error() : count.error());
  }
  const auto& stop = Call::interruption();
  Watch watch(call, call.has("since") ? call.time("since") : Time{});
  for (bool is_first = true;; is_first = false) {
    const auto fresh = watch.look(is_first ? std::max<std::size_t>(*count, 1) : kRemembered);
    if (!fresh) {
      return Failure(fresh.error());
    }
    for (const std::string& text : *fresh) {
      const auto event = json::Document::parse(text, json::kEvent);
      const bool is_hidden = is_first && *count == 0;
      if (!is_hidden && (!call.has("where") || filter->takes(event->root(), call.clock().now()))) {
        call.out().line(call.format() == Format::Table ? line_of(event->root()) : text);
      }
    }
    if (call.flag("no-follow")) {
      return 0;
    }
    if (stop.load() != 0) {
      return 128 + stop.load();
    }
    std::this_thread::sleep_for(kLook);
  }
}

Result<int> wait(Call& call) {
  const auto count = positive(call, "count");
  const auto filter = where_of(call);
  if (!count || !filter) {
    return Failure(count ? filter.error() : count.error());
  }
  const auto& stop = Call::interruption();
  const auto until = std::chrono::steady_clock::now() + call.duration("timeout");
  Watch watch(call, call.has("since") ? call.time("since") : call.clock().now());
  std::vector<std::string> met;
  for (;;) {
    const auto fresh = watch.look(kRemembered);
    if (!fresh) {
      return Failure(fresh.error());
    }
    for (const std::string& text : *fresh) {
      const auto event = json::Document::parse(text, json::kEvent);
      if (met.size() < *count && filter->takes(event->root(), call.clock().now())) {
        met.push_back(text);
      }
    }
    const bool is_over = stop.load() != 0 || std::chrono::steady_clock::now() >= until;
    if (met.size() >= *count || is_over) {
      break;
    }
    std::this_thread::sleep_for(kLook);
  }
  const bool is_met = met.size() >= *count;
  if (!is_met) {
    call.note(fmt::format("{} of {} events came", met.size(), *count));
  }
  const auto printed = call.print(Listing{.schema = "edge.events/1",
                                          .name = "events",
                                          .columns = {{"received", "/receivedAt"},
                                                      {"type", "/type"},
                                                      {"event", "/event"},
                                                      {"user", "/userId"},
                                                      {"message", "/messageId"}},
                                          .records = std::move(met)});
  return !printed || is_met ? printed : Result<int>(stop.load() != 0 ? 128 + stop.load() : 1);
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

/// The options that choose stored events.
Command& with_choice(Command& command) {
  return command
      .option({.name = "type",
               .value = "TYPE",
               .help = "events of this type only",
               .choices = {"track", "page", "screen", "identify", "group", "alias"}})
      .option({.name = "event", .value = "NAME", .help = "track, page and screen of this name"})
      .option(
          {.name = "user", .value = "ID", .help = "of this user, or visitor without a user id"});
}

Command& with_filter(Command& command, std::string_view since) {
  return command
      .option({.name = "where",
               .value = "EXPR",
               .help = "an expression over the event, such as properties.total > 10"})
      .option({.name = "since", .value = "TIME", .help = since, .type = Type::Time});
}

constexpr std::string_view kEvents =
    R"({"type":"object","required":["schema","events"],"properties":{"schema":)"
    R"({"const":"edge.events/1"},"events":{"type":"array"}}})";

void declare_waiting(Tree& tree) {
  with_filter(with_choice(tree.command("events tail", "Print events as they come")),
              "those received from then on")
      .option({.name = "number",
               .letter = 'N',
               .value = "N",
               .help = "so many of the newest first",
               .type = Type::Integer,
               .fallback = "20"})
      .flag("no-follow", "only those that are there")
      .example("events tail --event Purchase", "until Ctrl-C")
      .example("events tail --no-follow --format jsonl", "the newest 20 as JSON lines")
      .runs(tail);
  with_filter(with_choice(tree.command("events wait", "Wait until events have come")),
              "those received from then on; default: the start of the command")
      .about("--timeout is how long to wait, by default 10s.")
      .option({.name = "count",
               .value = "N",
               .help = "so many",
               .type = Type::Integer,
               .fallback = "1"})
      .example("events wait --where 'event = \"purchase\"' --since -10s --timeout 10s",
               "in a test of a shop")
      .output("events", kEvents)
      .exits(1, "not so many came in time")
      .runs(wait);
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
      .output("events", kEvents)
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
  declare_waiting(tree);
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
