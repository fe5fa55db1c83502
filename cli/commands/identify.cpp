// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/commands/sending.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

Result<int> run(Call& call) {
  if (!call.has("user") && !call.has("anonymous-id")) {
    return Failure(usage_error("give --user or --anonymous-id"));
  }
  const auto traits = call.object("trait");
  if (!traits) {
    return Failure(traits.error());
  }
  json::Writer out;
  out.begin_object().member("type", "identify");
  if (call.has("message-id")) {
    out.member("messageId", call["message-id"]);
  }
  if (call.has("user")) {
    out.member("userId", call["user"]);
  }
  if (call.has("anonymous-id")) {
    out.member("anonymousId", call["anonymous-id"]);
  }
  out.key("traits").raw(*traits).end_object();
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

void identify(Tree& tree) {
  tree.command("identify", "Tell who somebody is")
      .in(Section::Send)
      .option({.name = "user", .letter = 'u', .value = "ID", .help = "the user"})
      .option({.name = "anonymous-id",
               .value = "ID",
               .help = "the visitor, joined with the user when both are given"})
      .option({.name = "trait",
               .value = "KV",
               .help = "something known of them",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "message-id",
               .value = "ID",
               .help = "the dedupe key, made when it is not given"})
      .option(kWriteKey)
      .changes()
      .example("identify -u customer-1001 --trait plan=pro --trait email=ada@example.org",
               "two traits of a user")
      .exits(3, "the event was refused")
      .see("edgectl track")
      .output("sent", kSentSchema)
      .runs(run);
}

}  // namespace edge::cli::commands
