// SPDX-License-Identifier: MIT
// Deleting and suppressing people, taking out what is kept of them, and bringing it in again.
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "cli/command.h"
#include "cli/commands/sending.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/crypto/digest.h"
#include "core/edge.h"
#include "core/encoding/hex.h"
#include "core/encoding/percent.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profile_export.h"
#include "core/regulations.h"

namespace edge::cli::commands {
namespace {

using profiles::Name;

constexpr std::chrono::milliseconds kLook{200};

struct Kind {
  Name name;
  std::string_view member;
  std::string_view subject;
};

Kind kind_of(const Call& call) {
  const std::string type = call["id-type"];
  return type == "user"    ? Kind{Name::UserId, "userId", "USER_ID"}
         : type == "email" ? Kind{Name::Email, "email", "EMAIL"}
                           : Kind{Name::AnonymousId, "anonymousId", "ANONYMOUS_ID"};
}

Error not_found(const Call& call, const std::string& id) {
  return {ErrorCode::NotFound, fmt::format("no profile has the {} id \"{}\"", call["id-type"], id)};
}

std::string text_of(const std::string& json, std::string_view member) {
  const auto document = json::Document::parse(json, json::kEvent);
  const auto value = document ? document->root().find(member) : std::nullopt;
  return std::string(value ? value->as_string().value_or("") : "");
}

Result<std::string> profile_id_there(Call& call, Remote& daemon, const std::string& id) {
  json::Writer body;
  body.begin_object().member(kind_of(call).member, id).end_object();
  const auto answer = daemon.post("/cdp/profile", body.take());
  if (!answer || answer->body == "null") {
    return Failure(answer ? not_found(call, id) : answer.error());
  }
  return text_of(answer->body, "profileId");
}

/// Waits for the daemon to finish the regulation, at most a minute.
Result<std::string> finished_there(Call& call, Remote& daemon, const std::string& id) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const auto& stop = Call::interruption();
  for (;;) {
    const auto answer = daemon.get("/cdp/regulations/" + encoding::percent_encode(id));
    if (!answer) {
      return Failure(answer.error());
    }
    if (text_of(answer->body, "status") != "RUNNING") {
      return answer->body;
    }
    if (stop.load() != 0 || std::chrono::steady_clock::now() > until) {
      call.note("still running; the daemon goes on with it");
      return answer->body;
    }
    std::this_thread::sleep_for(kLook);
  }
}

/// Carries the regulation out on this thread.
Result<std::string> finished_here(Edge& edge, const Result<std::string>& id) {
  if (!id) {
    return Failure(id.error());
  }
  const auto worked = edge.regulations.work({}, [&edge] { return edge.projector.drain(); });
  const auto document = edge.regulations.document(*id);
  if (!worked && (!document || text_of(*document, "status") == "RUNNING")) {
    return Failure(worked.error());
  }
  // What the deletion told destinations is sent as far as it can be now.
  if (auto sent = edge.forwarders.run_until_idle(); !sent) {
    return Failure(sent.error());
  }
  return edge.regulations.document(*id);
}

Result<int> print_regulation(Call& call, const std::string& json) {
  const auto document = json::Document::parse(json, json::kEvent);
  if (!document || !document->root().find("status")) {
    return Failure({ErrorCode::Internal, "the answer is no regulation"});
  }
  const auto count = [&](std::string_view name) {
    const auto value = document->root().at_pointer("/counts/" + std::string(name));
    return value ? value->as_int64().value_or(0) : 0;
  };
  std::string human = fmt::format("{}  {}\n", text_of(json, "id"), text_of(json, "status"));
  human += fmt::format("{} profiles, {} events, {} deliveries, {} dead letters\n",
                       count("profiles"),
                       count("events"),
                       count("deliveries"),
                       count("deadLetters"));
  if (const auto manual = document->root().find("manual"); manual && manual->size() > 0) {
    human += "tell these yourself:";
    for (const json::Value id : manual->elements()) {
      human += " " + std::string(id.as_string().value_or(""));
    }
    human += "\n";
  }
  const std::string problem = text_of(json, "error");
  human += problem.empty() ? "" : problem + "\n";
  const auto printed = call.print(Document{
      .json = R"({"schema":"edge.regulation/1",)" + json.substr(1), .human = std::move(human)});
  if (!printed || problem.empty()) {
    return printed;
  }
  call.note(
      fmt::format("when that is mended: edgectl profile delete --retry {}", text_of(json, "id")));
  return exit_code::kPartly;
}

/// Takes up a regulation that failed.
Result<int> retry(Call& call) {
  const std::string id = call["ID"];
  if (call.flag("everywhere") || call.has("id-type")) {
    return Failure(usage_error("--retry takes the id of a regulation and nothing else", "retry"));
  }
  if (call.dry_run()) {
    call.note(fmt::format("would take up the regulation \"{}\" again", id));
    return 0;
  }
  if (Remote* const daemon = call.running_daemon()) {
    const auto answer =
        daemon->post(fmt::format("/cdp/regulations/{}/retry", encoding::percent_encode(id)), "");
    const auto done =
        answer ? finished_there(call, *daemon, id) : Result<std::string>(Failure(answer.error()));
    return done ? print_regulation(call, *done) : Failure(done.error());
  }
  Edge& edge = call.edge();
  const auto done = finished_here(edge, edge.regulations.retry(id).map([&id] { return id; }));
  return done ? print_regulation(call, *done) : Failure(done.error());
}

Result<int> remove(Call& call) {
  if (call.flag("retry")) {
    return retry(call);
  }
  const std::string id = call["ID"];
  const bool keeps_events = !call.flag("everywhere");
  if (call.dry_run()) {
    call.note(fmt::format(
        "would delete the profile of \"{}\"{}", id, keeps_events ? "" : " and all its events"));
    return 0;
  }
  const auto agreed = call.confirm(fmt::format(
      "Delete the profile of \"{}\"{}?", id, keeps_events ? "" : " and all its events"));
  if (!agreed || !*agreed) {
    return agreed ? Result<int>(1) : Failure(agreed.error());
  }
  if (Remote* const daemon = call.running_daemon()) {
    const auto profile = profile_id_there(call, *daemon, id);
    if (!profile) {
      return Failure(profile.error());
    }
    const auto answer = daemon->send("DELETE",
                                     fmt::format("/cdp/profiles/{}{}",
                                                 encoding::percent_encode(*profile),
                                                 keeps_events ? "?events=keep" : ""));
    const auto done = answer ? finished_there(call, *daemon, text_of(answer->body, "id"))
                             : Result<std::string>(Failure(answer.error()));
    return done ? print_regulation(call, *done) : Failure(done.error());
  }
  Edge& edge = call.edge();
  if (auto drained = edge.projector.drain(); !drained) {
    return Failure(drained.error());
  }
  const auto found = edge.profiles.find(kind_of(call).name, id);
  if (!found || !*found) {
    return Failure(found ? not_found(call, id) : found.error());
  }
  const auto done = finished_here(
      edge,
      edge.regulations.start(
          {.subject = Name::ProfileId, .ids = {(*found)->id.text}, .keep_events = keeps_events}));
  return done ? print_regulation(call, *done) : Failure(done.error());
}

Result<int> change_suppression(Call& call, RegulationType type, std::string_view name) {
  const std::vector<std::string> ids = call.all("ID");
  json::Writer body;
  body.begin_object()
      .member("regulationType", name)
      .member("subjectType", kind_of(call).subject)
      .key("subjectIds")
      .begin_array();
  for (const std::string& id : ids) {
    body.string(id);
  }
  const std::string json = body.end_array().end_object().take();
  const auto document = json::Document::parse(json, json::kApi);
  const auto request = read_regulation(document->root());
  if (!request) {
    return Failure(usage_error(request.error().message));
  }
  if (call.dry_run()) {
    call.note(fmt::format("would change the suppression of {} names", ids.size()));
    return 0;
  }
  if (Remote* const daemon = call.running_daemon()) {
    const auto answer = daemon->post("/cdp/regulations", json);
    const auto done = answer ? finished_there(call, *daemon, text_of(answer->body, "id"))
                             : Result<std::string>(Failure(answer.error()));
    return done ? print_regulation(call, *done) : Failure(done.error());
  }
  RegulationRequest wanted = *request;
  wanted.type = type;
  Edge& edge = call.edge();
  const auto done = finished_here(edge, edge.regulations.start(wanted));
  return done ? print_regulation(call, *done) : Failure(done.error());
}

Result<int> hand_out(Call& call) {
  const Kind kind = kind_of(call);
  for (const std::string& id : call.all("ID")) {
    if (Remote* const daemon = call.running_daemon()) {
      const auto answer = daemon->get(
          fmt::format("/cdp/profiles/export?{}={}", kind.member, encoding::percent_encode(id)));
      if (!answer) {
        return Failure(answer.error().code == ErrorCode::NotFound ? not_found(call, id)
                                                                  : answer.error());
      }
      call.out().write(answer->body);
      continue;
    }
    Edge& edge = call.edge(Call::Access::Read);
    const auto written = export_person(
        edge, kind.name, id, [&call](std::string_view line) { call.out().line(line); });
    if (!written || !*written) {
      return Failure(written ? not_found(call, id) : written.error());
    }
  }
  return 0;
}

/// Reads an export line by line and gives its events to a sender. A profile without events comes in
/// as one identify event with its traits.
class Importer {
 public:
  explicit Importer(Sender& sender) : sender_(sender) {}

  Result<void> take(json::Value line) {
    const auto kind = line.find("kind");
    const std::string_view name = kind ? kind->as_string().value_or("") : std::string_view{};
    if (name == "profile") {
      auto done = finish();
      const auto profile = line.find("profile");
      profile_ = profile ? std::string(profile->raw()) : std::string();
      return done;
    }
    if (name == "event") {
      profile_.clear();
      const auto event = line.find("event");
      return event ? sender_.add(*event)
                   : Failure({ErrorCode::InvalidArgument, "an event line without event"});
    }
    const bool is_derived =
        name == "identifier" || name == "history" || name == "segment" || name == "merge";
    return is_derived ? Result<void>{}
                      : Failure({ErrorCode::InvalidArgument,
                                 "not a line of an export: kind must be profile, identifier, "
                                 "history, segment, merge or event"});
  }

  /// The last profile had no events.
  Result<void> finish() {
    if (profile_.empty()) {
      return {};
    }
    const std::string json = std::exchange(profile_, {});
    const auto profile = json::Document::parse(json, json::kEvent);
    json::Writer out;
    out.begin_object()
        .member("type", "identify")
        .member("messageId", "import-" + encoding::hex_encode(crypto::sha256(json)).substr(0, 32));
    for (const std::string_view name : {"userId", "anonymousId", "traits"}) {
      if (const auto value = profile->root().find(name); value && !value->is_null()) {
        out.key(name).value(*value);
      }
    }
    const auto seen = profile->root().find("lastSeen");
    out.member("timestamp", events::format_time(from_ms(seen ? seen->as_int64().value_or(0) : 0)));
    const auto event = json::Document::parse(out.end_object().take(), json::kEvent);
    return sender_.add(event->root());
  }

 private:
  Sender& sender_;
  std::string profile_;  // JSON text; empty once one of its events came
};

Result<int> bring_in(Call& call) {
  const auto lines = call.open_lines(call["input"]);
  if (!lines) {
    return Failure(lines.error());
  }
  Sender sender(call);
  Importer importer(sender);
  std::string line;
  std::size_t count = 0;
  for (;;) {
    const auto next = (*lines)->next_filled(line);
    if (!next) {
      return Failure(next.error());
    }
    if (!*next) {
      break;
    }
    const auto document = json::Document::parse(line, json::kEvent);
    auto taken = document ? Result<void>{} : Result<void>(Failure(document.error()));
    if (taken && !call.dry_run()) {
      taken = importer.take(document->root());
    }
    if (!taken) {
      Error error = taken.error();
      error.message = fmt::format("{}:{}: {}", (*lines)->name(), (*lines)->number(), error.message);
      return Failure(std::move(error));
    }
    ++count;
  }
  if (call.dry_run()) {
    call.note(fmt::format("would bring in {} lines", count));
    return 0;
  }
  auto done = importer.finish();
  if (auto sent = sender.finish(); done && !sent) {
    done = sent;
  }
  return done ? print_report(call, sender.report()) : Failure(done.error());
}

Command& with_id_type(Command& command) {
  return command.option({.name = "id-type",
                         .value = "TYPE",
                         .help = "what kind of id it is",
                         .fallback = "user",
                         .choices = {"user", "anonymous", "email"}});
}

constexpr std::string_view kRegulation =
    R"({"type":"object","required":["schema","id","regulationType","subjectType","status",)"
    R"("counts","manual"],"properties":{"schema":{"const":"edge.regulation/1"},)"
    R"("id":{"type":"string"},"status":{"enum":["RUNNING","FINISHED","FAILED"]},"error":{"type":"string"},)"
    R"("counts":{"type":"object"},"manual":{"type":"array"}}})";

void declare_suppression(Tree& tree) {
  with_id_type(tree.command("profile suppress", "Keep nothing of what these people do from now on"))
      .about(
          "Events that name one of them are answered as usual, counted, and neither stored nor "
          "forwarded. What is stored already stays: see profile delete.")
      .positional({.name = "ID", .help = "whom", .required = true, .repeatable = true})
      .changes()
      .example("profile suppress u-42", "an objection")
      .output("regulation", kRegulation)
      .runs([](Call& call) {
        return change_suppression(call, RegulationType::SuppressOnly, "SUPPRESS_ONLY");
      });
  with_id_type(tree.command("profile unsuppress", "Take events of these people again"))
      .positional({.name = "ID", .help = "whom", .required = true, .repeatable = true})
      .changes()
      .example("profile unsuppress u-42", "they changed their mind")
      .output("regulation", kRegulation)
      .runs([](Call& call) {
        return change_suppression(call, RegulationType::Unsuppress, "UNSUPPRESS");
      });
}

}  // namespace

void profile_privacy(Tree& tree) {
  with_id_type(tree.command("profile delete", "Delete a profile, and with --everywhere its events"))
      .about(
          "With --everywhere nothing of the person is left in any file of the store: profile, "
          "history, events, what waits for destinations, dead letters. Webhook destinations are "
          "told; others are listed, to be told by hand. A deletion that meets a damaged file "
          "fails, "
          "names it, and can be retried.")
      .positional({.name = "ID", .help = "by what the person is known", .required = true})
      .flag("everywhere", "their events too, from every file")
      .flag("retry", "ID is that of a deletion that failed: take it up again")
      .changes()
      .example("profile delete u-42 --everywhere --yes", "the right to be forgotten")
      .output("regulation", kRegulation)
      .exits(5, "nobody goes by that id")
      .exits(exit_code::kPartly, "it failed at a damaged file; the line to retry it is printed")
      .runs(remove);
  declare_suppression(tree);
  with_id_type(tree.command("profile export", "Print everything that is kept of a person"))
      .about(
          "JSON lines with a member kind: profile, identifier, history, segment, merge, and the "
          "events, oldest first.")
      .positional({.name = "ID", .help = "whom", .required = true, .repeatable = true})
      .example("profile export u-42 -o u-42.jsonl", "for the person who asked")
      .exits(5, "nobody goes by that id")
      .runs(hand_out);
  tree.command("profile import", "Bring in what profile export printed")
      .reads_input()
      .about(
          "Events are sent as they are, so those that are known already change nothing. A profile "
          "whose events were not kept comes in as one identify event with its traits. Derived "
          "lines (identifier, history, segment, merge) are passed over.")
      .option(kWriteKey)
      .changes()
      .example("profile import -i u-42.jsonl", "into another installation")
      .output("sent", kSentSchema)
      .exits(3, "a line is not one of an export")
      .see("edgectl profile export")
      .runs(bring_in);
}

}  // namespace edge::cli::commands
