// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/commands/sending.h"
#include "core/events/event.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

Result<int> run(Call& call) {
  if (!call.has("user") && !call.has("anonymous-id")) {
    return Failure(usage_error("give --user or --anonymous-id"));
  }
  const auto properties = object_from(call, "props", "prop");
  const auto context = properties ? object_from(call, "context", {}) : properties;
  if (!context) {
    return Failure(context.error());
  }
  json::Writer out;
  out.begin_object().member("type", "track").member("event", call["EVENT"]);
  for (const auto& [option, member] :
       {std::pair<std::string_view, std::string_view>{"message-id", "messageId"},
        {"user", "userId"},
        {"anonymous-id", "anonymousId"}}) {
    if (call.has(option)) {
      out.member(member, call[option]);
    }
  }
  if (call.has("timestamp")) {
    out.member("timestamp", events::format_time(call.time("timestamp")));
  }
  out.key("properties").raw(*properties).key("context").raw(*context).end_object();
  const auto event = json::Document::parse(out.text(), json::kEvent);
  if (!event) {
    return Failure(event.error());
  }
  if (call.dry_run()) {
    return call.print(Document{.json = out.take()});
  }
  Sender sender(call);
  auto sent = sender.add(event->root());
  if (sent) {
    sent = sender.finish();
  }
  return sent ? print_report(call, sender.report()) : Failure(sent.error());
}

}  // namespace

void track(Tree& tree) {
  tree.command("track", "Send one event that somebody did something")
      .in(Section::Send)
      .positional({.name = "EVENT", .help = "name of the event", .required = true})
      .option({.name = "user", .letter = 'u', .value = "ID", .help = "who did it"})
      .option(
          {.name = "anonymous-id", .value = "ID", .help = "who did it, before the user is known"})
      .option({.name = "prop",
               .value = "KV",
               .help = "a property",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "props",
               .value = "FILE",
               .help = "a JSON object of properties",
               .complete = Complete::Files})
      .option({.name = "context",
               .value = "FILE",
               .help = "a JSON object as context",
               .complete = Complete::Files})
      .option({.name = "message-id",
               .value = "ID",
               .help = "the dedupe key, made when it is not given"})
      .option(
          {.name = "timestamp", .value = "TIME", .help = "when it happened", .type = Type::Time})
      .option(kWriteKey)
      .changes()
      .about("Prints the message id. Repeating it with the same --message-id stores nothing twice.")
      .example("track \"Order Completed\" -u customer-1001 --prop total:=49.9",
               "one event of a known user")
      .exits(3, "the event was refused")
      .see("edgectl send")
      .output("sent", kSentSchema)
      .runs(run);
}

}  // namespace edge::cli::commands
