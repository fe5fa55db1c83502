// SPDX-License-Identifier: MIT
// Queues: what waits in them, and sending, pausing and emptying. Asked of the running daemon, else
// of the local store.
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/queue_store.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/encoding/base64.h"
#include "core/encoding/rfc3339.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

Result<int> list(Call& call) {
  auto reports = open_queues(call, Call::Access::Read)->reports();
  if (!reports) {
    return Failure(std::move(reports.error()));
  }
  return call.print(Listing{.schema = "edge.queues/1",
                            .name = "queues",
                            .columns = {{"name", "/name"},
                                        {"ready", "/ready"},
                                        {"delayed", "/delayed"},
                                        {"in flight", "/inFlight"},
                                        {"dead", "/dead"},
                                        {"oldest", "/oldest"},
                                        {"rate", "/rate"}},
                            .records = std::move(*reports)});
}

Result<int> show(Call& call) {
  const auto details = open_queues(call, Call::Access::Read)->details(call["NAME"]);
  return details ? call.print(Document{.json = R"({"schema":"edge.queue/1",)" + details->substr(1)})
                 : Failure(details.error());
}

/// A message for people: JSON as JSON, bytes as base64.
std::string record_of(const queues::Message& message) {
  json::Writer out;
  out.begin_object().member("id", message.id);
  out.member("attempts", std::uint64_t{message.attempts});
  out.member("sent", encoding::rfc3339(from_ms(message.timestamp)));
  out.member("type", queues::name_of(message.type));
  if (!message.source.empty()) {
    out.member("deadLetterOf", message.source);
  }
  out.key("body");
  if (message.type == queues::ContentType::Json) {
    out.raw(message.body);
  } else if (message.type == queues::ContentType::Text) {
    out.string(message.body);
  } else {
    out.string(encoding::base64_encode(message.body));
  }
  return out.end_object().take();
}

Result<int> peek(Call& call) {
  const std::int64_t wanted = call.integer("limit");
  if (wanted < 1) {
    return Failure(usage_error("-N is too small", "limit"));
  }
  const auto store = open_queues(call, Call::Access::Read);
  std::vector<std::string> records;
  queues::PeekRequest request;
  do {
    request.batch_size = std::min<std::size_t>(static_cast<std::size_t>(wanted) - records.size(),
                                               queues::kMaxPullMessages);
    const auto page = store->peek(call["NAME"], request);
    if (!page) {
      return Failure(page.error());
    }
    for (const queues::Peeked& peeked : page->messages) {
      records.push_back(record_of(peeked.message));
    }
    request.cursor = page->next;
  } while (!request.cursor.empty() && records.size() < static_cast<std::size_t>(wanted));
  return call.print(Listing{.schema = "edge.queue-messages/1",
                            .name = "messages",
                            .columns = {{"id", "/id"},
                                        {"attempts", "/attempts"},
                                        {"sent", "/sent"},
                                        {"type", "/type"},
                                        {"body", "/body"}},
                            .records = std::move(records)});
}

Error not_of_type(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), "BODY", "bad_shape"};
}

Result<queues::NewMessage> message_of(Call& call) {
  if (call.has("BODY") && call.has("input")) {
    return Failure(usage_error("BODY and --input are two bodies; give one"));
  }
  queues::NewMessage message{.type = *queues::content_type_of(call["type"])};
  if (call.has("delay")) {
    message.delay = std::chrono::ceil<std::chrono::seconds>(call.duration("delay")).count();
    if (*message.delay < 0 || *message.delay > queues::kMaxDelay) {
      return Failure(usage_error("--delay is at most 24h", "delay"));
    }
  }
  auto body = call.has("BODY") ? Result<std::string>(call["BODY"]) : call.input();
  if (!body) {
    return Failure(std::move(body.error()));
  }
  if (message.type == queues::ContentType::Json) {
    const auto document = json::Document::parse(*body, json::kApi);
    if (!document) {
      return Failure(not_of_type(fmt::format(
          "the body is not JSON ({}); --type text sends it as it is", document.error().message)));
    }
    body = std::string(document->root().raw());
  } else if (message.type == queues::ContentType::Text && !encoding::is_utf8(*body)) {
    return Failure(not_of_type("the body is not UTF-8; --type bytes sends any octets"));
  }
  message.body = std::move(*body);
  queues::SendRequest one;
  one.messages.push_back(message);
  const auto fits = queues::check(one);
  return fits ? Result<queues::NewMessage>(std::move(message)) : Failure(fits.error());
}

Result<int> send(Call& call) {
  const auto message = message_of(call);
  if (!message) {
    return Failure(message.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format(
        "would send {} octets to the queue \"{}\"", message->body.size(), call["NAME"]));
    return exit_code::kDone;
  }
  const auto store = open_queues(call, Call::Access::Write);
  auto done = call.flag("create") ? store->create(call["NAME"]) : Result<void>{};
  done = done ? store->send(call["NAME"], *message) : done;
  if (!done && done.error().reason == "queue_not_found") {
    done.error().message += "; --create makes one of that name";
  }
  return done ? Result<int>(exit_code::kDone) : Failure(done.error());
}

Handler pausing(bool paused) {
  return [paused](Call& call) -> Result<int> {
    if (call.dry_run()) {
      call.note(fmt::format(
          "would {} the delivery of \"{}\"", paused ? "pause" : "resume", call["NAME"]));
      return exit_code::kDone;
    }
    const auto done = open_queues(call, Call::Access::Write)->pause(call["NAME"], paused);
    return done ? Result<int>(exit_code::kDone) : Failure(done.error());
  };
}

Result<int> purge(Call& call) {
  const std::string name = call["NAME"];
  const auto store = open_queues(call, call.dry_run() ? Call::Access::Read : Call::Access::Write);
  const auto details = store->details(name);
  const auto document = details ? json::Document::parse(*details, json::kApi)
                                : Result<json::Document>(Failure(details.error()));
  if (!document) {
    return Failure(document.error());
  }
  std::uint64_t count = 0;
  for (const char* member : {"ready", "delayed", "inFlight"}) {
    const auto value = document->root().find(member);
    count += value ? value->as_uint64().value_or(0) : 0;
  }
  if (call.dry_run()) {
    call.note(fmt::format("would remove {} messages of the queue \"{}\"", count, name));
    return exit_code::kDone;
  }
  if (count > 0) {
    const auto agreed = call.confirm_name(
        fmt::format("{} messages of the queue \"{}\" go for good", count, name), name);
    if (!agreed || !*agreed) {
      return agreed ? Result<int>(exit_code::kNo) : Failure(agreed.error());
    }
  }
  const auto done = store->purge(name);
  if (!done) {
    return Failure(done.error());
  }
  call.note(fmt::format("{} messages removed", count));
  return exit_code::kDone;
}

Option name_option() {
  return {.name = "NAME", .help = "name or id of the queue", .required = true};
}

void declare_looks(Tree& tree) {
  tree.command("queue list", "List queues and how they stand")
      .about(
          "ready is due now, delayed waits for its time, in flight is delivered and not settled, "
          "dead waits in the queue's dead-letter queue, rate is messages sent per second over the "
          "last minute (known to a running daemon).")
      .example("queue list", "what waits where")
      .output("queues",
              R"({"type":"object","required":["schema","queues"],"properties":{"schema":)"
              R"({"const":"edge.queues/1"},"queues":{"type":"array"}}})")
      .runs(list);
  tree.command("queue show", "Show how one queue stands, and its settings")
      .positional(name_option())
      .example("queue show orders", "its consumer and its dead-letter queue too")
      .output("queue",
              R"({"type":"object","required":["schema","name","ready","settings"],"properties":)"
              R"({"schema":{"const":"edge.queue/1"},"name":{"type":"string"},)"
              R"("ready":{"type":"integer"}}})")
      .exits(exit_code::kNotFound, "no such queue")
      .runs(show);
  tree.command("queue peek", "Look at messages without taking them")
      .positional(name_option())
      .option({.name = "limit",
               .letter = 'N',
               .value = "N",
               .help = "at most so many",
               .type = Type::Integer,
               .fallback = "10"})
      .example("queue peek orders -N 3", "what is next")
      .output("queue-messages",
              R"({"type":"object","required":["schema","messages"],"properties":{"schema":)"
              R"({"const":"edge.queue-messages/1"},"messages":{"type":"array"}}})")
      .exits(exit_code::kNotFound, "no such queue")
      .runs(peek);
}

}  // namespace

void queue(Tree& tree) {
  tree.noun("queue", Section::Manage, "Queues and their messages");
  declare_looks(tree);
  tree.command("queue send", "Send a message of at most 128,000 octets")
      .positional(name_option())
      .positional({.name = "BODY", .help = "else --input, else standard input"})
      .option({.name = "type",
               .value = "TYPE",
               .help = "what the body is",
               .fallback = "json",
               .choices = {"json", "text", "bytes"}})
      .option({.name = "delay",
               .value = "DUR",
               .help = "not delivered before, at most 24h; else the queue's own",
               .type = Type::Duration})
      .flag("create", "make the queue when there is none of that name")
      .reads_input()
      .changes()
      .example("queue send orders '{\"id\":7}'", "a JSON message")
      .example("queue send mails -i mail.txt --type text --delay 10m", "a file, in ten minutes")
      .exits(exit_code::kBadInput, "the body is not what --type says, or too large")
      .exits(exit_code::kNotFound, "no such queue")
      .runs(send);
  tree.command("queue pause", "Stop the delivery; sending goes on")
      .positional(name_option())
      .changes()
      .example("queue pause orders", "while the consumer is repaired")
      .exits(exit_code::kNotFound, "no such queue")
      .runs(pausing(true));
  tree.command("queue resume", "Deliver again")
      .positional(name_option())
      .changes()
      .example("queue resume orders", "the consumer is back")
      .exits(exit_code::kNotFound, "no such queue")
      .runs(pausing(false));
  tree.command("queue purge", "Remove all messages for good")
      .positional(name_option())
      .changes()
      .example("queue purge orders --yes", "without being asked for its name")
      .exits(exit_code::kNo, "the name was not typed")
      .exits(exit_code::kNotFound, "no such queue")
      .runs(purge);
}

}  // namespace edge::cli::commands
