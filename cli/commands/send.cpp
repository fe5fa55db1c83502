// SPDX-License-Identifier: MIT
// Events of any type from a file: one JSON object, a list, a batch as the wire has it, or one of
// these per line.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/sending.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

Error bad_line(const LineReader& lines, std::string_view what) {
  return {ErrorCode::InvalidArgument,
          fmt::format("{}:{}: {}", lines.name(), lines.number(), what),
          {},
          "bad_json"};
}

/// What a batch says for all of its events: its other members.
std::string envelope_of(json::Value batch) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : batch.members()) {
    if (name != "batch") {
      out.key(name).value(value);
    }
  }
  return out.end_object().take();
}

Result<void> send_document(const json::Document& document, Sender& sender) {
  const json::Value root = document.root();
  const auto batch = root.find("batch");
  const bool is_batch = batch && batch->is_array();
  if (auto shared = sender.share(is_batch ? envelope_of(root) : "{}"); !shared) {
    return shared;
  }
  const json::Value list = is_batch ? *batch : root;
  if (!list.is_array()) {
    return sender.add(root);
  }
  for (const json::Value event : list.elements()) {
    if (auto added = sender.add(event); !added) {
      return added;
    }
  }
  return {};
}

/// One document per line, in the memory of one; `line` is the first one.
Result<void> send_lines(LineReader& lines, std::string line, Sender& sender) {
  const auto& stop = Call::interruption();
  for (bool more = true; more && stop.load() == 0;) {
    const auto document = json::Document::parse(line, json::kEvent);
    if (!document) {
      return Failure(bad_line(lines, document.error().message));
    }
    if (auto sent = send_document(*document, sender); !sent) {
      return sent;
    }
    const auto next = lines.next_filled(line);
    if (!next) {
      return Failure(next.error());
    }
    more = *next;
  }
  return {};
}

Result<void> send_all(LineReader& lines, Sender& sender) {
  std::string line;
  const auto filled = lines.next_filled(line);
  if (!filled || !*filled) {
    return filled ? Result<void>{} : Failure(filled.error());
  }
  if (json::Document::parse(line, json::kEvent)) {
    return send_lines(lines, std::move(line), sender);
  }
  std::string whole = std::move(line);
  for (bool more = true; more;) {
    std::string rest;
    const auto next = lines.next(rest);
    if (!next) {
      return Failure(next.error());
    }
    whole += "\n" + rest;
    more = *next;
  }
  const auto document = json::Document::parse(whole, json::kEvent);
  return document ? send_document(*document, sender)
                  : Failure({ErrorCode::InvalidArgument,
                             fmt::format("{}: {}", lines.name(), document.error().message),
                             {},
                             "bad_json"});
}

Result<int> run(Call& call) {
  const auto lines = call.open_lines(call["input"]);
  if (!lines) {
    return Failure(lines.error());
  }
  Sender sender(call);
  auto sent = send_all(**lines, sender);
  if (const auto finished = sender.finish(); sent && !finished) {
    sent = finished;
  }
  if (!sent) {
    if (!sender.report().message_ids.empty()) {
      call.note(fmt::format("{} events were sent before", sender.report().message_ids.size()));
    }
    return Failure(sent.error());
  }
  const int signal = Call::interruption().load();
  auto printed = print_report(call, sender.report());
  return signal == 0 ? printed : Result<int>(128 + signal);
}

}  // namespace

void send(Tree& tree) {
  tree.command("send", "Send many events of any type")
      .in(Section::Send)
      .reads_input()
      .option(kWriteKey)
      .changes()
      .about(
          "The input is one event as a JSON object, a list, a batch, or one of these per line. "
          "What "
          "a batch says for all of its events (context, integrations, sentAt) holds for them. "
          "Events are sent in requests within the limits of the wire; one that the daemon refuses, "
          "for its size too, does not keep the others back. Prints the message ids.")
      .example("send -i events.jsonl", "every line of a file")
      .example("send -i batch.json", "a batch as an SDK sends it")
      .exits(3, "the input could not be read, or every event was refused")
      .exits(8, "some events were refused")
      .see("edgectl replay")
      .output("sent", kSentSchema)
      .runs(run);
}

}  // namespace edge::cli::commands
