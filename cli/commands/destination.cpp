// SPDX-License-Identifier: MIT
// Destinations: where events go. Asked of the running daemon, else done on the local store; those
// of the configuration are shown without either, and `preview` needs no network.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/destination_names.h"
#include "cli/edge_for_reading.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "cli/remote_list.h"
#include "core/delivery/preview.h"
#include "core/delivery/report.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/events/overlay.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using EntryPointer = std::shared_ptr<const destinations::Entry>;

std::string path_of(const Call& call, std::string_view verb = {}) {
  std::string path = "/cdp/destinations/" + encoding::percent_encode(call["NAME"]);
  return verb.empty() ? path : path + "/" + std::string(verb);
}

Error unknown(std::string_view name) {
  return {ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", name)};
}

Result<EntryPointer> entry_of(Edge& edge, const std::string& name) {
  auto entry = edge.destinations.table().get()->find(name);
  return entry ? Result<EntryPointer>(std::move(entry)) : Failure(unknown(name));
}

/// `since`: what happened from then on is told too.
Result<std::string> json_of(Edge& edge,
                            const Result<EntryPointer>& entry,
                            std::optional<Time> since = {}) {
  const auto status = entry ? edge.forwarders.status((*entry)->definition.id)
                            : Result<delivery::Status>(Failure(entry.error()));
  if (!status) {
    return Failure(status.error());
  }
  json::Writer out;
  out.begin_object();
  delivery::write_destination(out, **entry, *status, edge.catalogue);
  const auto written =
      since ? delivery::write_since(out, edge.store, **entry, *since) : Result<void>();
  if (!written) {
    return Failure(written.error());
  }
  return out.end_object().take();
}

/// One object as a result, its schema in front.
Result<int> print_one(Call& call, const Result<std::string>& object, std::string_view schema) {
  return object ? call.print(Document{
                      .json = fmt::format("{{\"schema\":\"{}\",{}", schema, object->substr(1))})
                : Failure(object.error());
}

Result<std::string> body_of(const Result<transport::IncomingResponse>& answer) {
  return answer ? Result<std::string>(answer->body) : Failure(answer.error());
}

/// A command on the destination NAME; when there is none, the near names are told.
Handler on_one(Handler command) {
  return [command = std::move(command)](Call& call) {
    auto done = command(call);
    if (!done && done.error().code == ErrorCode::NotFound) {
      throw no_destination(
          call, call.side() == Side::Remote ? call.running_daemon() : nullptr, call["NAME"]);
    }
    return done;
  };
}

Result<std::vector<std::string>> all(Call& call, std::optional<Time> since = {}) {
  if (Remote* daemon = call.running_daemon()) {
    const std::string query =
        since ? "?since=" + encoding::percent_encode(events::format_time(*since)) : "";
    return list_of(*daemon, "/cdp/destinations" + query, "destinations");
  }
  std::vector<std::string> records;
  const auto edge = edge_for_reading(call);
  for (const auto& entry : edge->destinations.table().get()->entries()) {
    auto text = json_of(*edge, entry, since);
    if (!text) {
      return Failure(text.error());
    }
    records.push_back(std::move(*text));
  }
  return records;
}

Result<int> list(Call& call) {
  auto records = all(call);
  if (!records) {
    return Failure(records.error());
  }
  return call.print(Listing{.schema = "edge.destinations/1",
                            .name = "destinations",
                            .columns = {{"id", "/id"},
                                        {"type", "/type"},
                                        {"state", "/state"},
                                        {"pending", "/pending"},
                                        {"delivered", "/delivered"},
                                        {"dead", "/dead"}},
                            .records = std::move(*records)});
}

Result<int> stats(Call& call) {
  const auto since = call.has("since") ? std::optional(call.time("since")) : std::nullopt;
  auto records = all(call, since);
  if (!records) {
    return Failure(records.error());
  }
  Listing listing{.schema = "edge.destination-stats/1",
                  .name = "destinations",
                  .columns = {{"id", "/id"},
                              {"delivered", since ? "/since/delivered" : "/delivered"},
                              {"dead", since ? "/since/dead" : "/dead"},
                              {"retried", since ? "/since/retried" : "/retried"},
                              {"pending", "/pending"},
                              {"p50Ms", "/p50Ms"},
                              {"p95Ms", "/p95Ms"},
                              {"lastError", "/lastError"}}};
  for (std::string& record : *records) {
    const auto document = json::Document::parse(record, json::kApi);
    const std::string wanted = call["NAME"];
    const auto is = [&](const char* member) {
      const auto value = document ? document->root().find(member) : std::nullopt;
      return value && value->as_string() == wanted;
    };
    if (wanted.empty() || is("id") || is("name")) {
      listing.records.push_back(std::move(record));
    }
  }
  if (listing.records.empty() && call.has("NAME")) {
    return Failure(unknown(call["NAME"]));
  }
  return call.print(listing);
}

Result<int> show(Call& call) {
  if (Remote* daemon = call.running_daemon()) {
    return print_one(call, body_of(daemon->get(path_of(call))), "edge.destination/1");
  }
  const auto edge = edge_for_reading(call);
  return print_one(call, json_of(*edge, entry_of(*edge, call["NAME"])), "edge.destination/1");
}

/// Two objects as one; members of `above` win.
std::string laid_over(std::string_view below, std::string_view above) {
  const auto under = json::Document::parse(below, json::kApi);
  const auto over = json::Document::parse(above, json::kApi);
  return events::merged(under->root(), over->root(), false);
}

/// The members that the options give, over those of --set; settings of the type stand in `config`.
Result<std::string> definition_of(Call& call, bool is_new) {
  const auto config = call.object("set");
  if (!config) {
    return Failure(config.error());
  }
  json::Writer out;
  out.begin_object();
  if (is_new) {
    out.member("name", call["NAME"]).member("type", call["type"]);
  }
  if (call.has("to")) {
    out.member("url", call["to"]);
  }
  if (call.has("secret")) {
    out.member("secret", call["secret"]);
  }
  for (const std::string_view option : {"filter", "ip"}) {
    if (call.has(option)) {
      out.member(option, call[option]);
    }
  }
  if (call.has("consent")) {
    out.key("consent").begin_array();
    for (const std::string& category : call.all("consent")) {
      out.string(category);
    }
    out.end_array();
  }
  const auto settings = json::Document::parse(*config, json::kApi);
  const auto whole = settings->root().find("config");
  if (whole && !whole->is_object()) {
    return Failure(usage_error("--set config wants an object of settings: config:={…}", "set"));
  }
  json::Writer shared;
  json::Writer own;
  shared.begin_object();
  own.begin_object();
  for (const auto& [name, value] : settings->root().members()) {
    if (name != "config") {
      (destinations::is_common_setting(name) ? shared : own).key(name).value(value);
    }
  }
  shared.end_object();
  own.end_object();
  out.key("config").raw(whole ? laid_over(whole->raw(), own.text()) : own.text()).end_object();
  return laid_over(shared.text(), out.text());
}

/// Creates (an empty id) or changes a destination.
Result<std::string> store(Call& call, const std::string& id, const std::string& body) {
  if (Remote* daemon = call.running_daemon()) {
    return body_of(id.empty() ? daemon->post("/cdp/destinations", body)
                              : daemon->send("PATCH", path_of(call), body));
  }
  Edge& edge = call.edge();
  const auto document = json::Document::parse(body, json::kApi);
  if (id.empty()) {
    const auto made = destinations::read_definition(document->root(), edge.catalogue);
    return made ? json_of(edge, edge.destinations.create(*made)) : Failure(made.error());
  }
  const auto entry = entry_of(edge, id);
  if (!entry) {
    return Failure(entry.error());
  }
  const auto made =
      destinations::read_definition(document->root(), edge.catalogue, (*entry)->definition);
  return made ? json_of(edge, edge.destinations.replace(id, *made)) : Failure(made.error());
}

Result<int> change(Call& call, const Result<std::string>& body, bool is_new) {
  if (!body) {
    return Failure(body.error());
  }
  if (call.dry_run()) {
    call.note("would store " + *body);
    return exit_code::kDone;
  }
  return print_one(call, store(call, is_new ? "" : call["NAME"], *body), "edge.destination/1");
}

Result<int> erase(Call& call) {
  if (call.dry_run()) {
    call.note("would delete " + call["NAME"]);
    return exit_code::kDone;
  }
  Remote* daemon = call.running_daemon();
  const auto done =
      daemon != nullptr
          ? daemon->send("DELETE", path_of(call)).map([](const transport::IncomingResponse&) {})
          : call.edge().destinations.erase(call["NAME"]);
  return done ? Result<int>(exit_code::kDone) : Failure(done.error());
}

/// Pauses or resumes: also what stands in the configuration.
Result<int> turn(Call& call, destinations::Switch position) {
  const bool pauses = position == destinations::Switch::Paused;
  if (call.dry_run()) {
    call.note(fmt::format("would {} {}", pauses ? "pause" : "resume", call["NAME"]));
    return exit_code::kDone;
  }
  if (Remote* daemon = call.running_daemon()) {
    const auto answer = daemon->post(path_of(call, pauses ? "pause" : "resume"), "");
    return print_one(call, body_of(answer), "edge.destination/1");
  }
  Edge& edge = call.edge();
  return print_one(call,
                   json_of(edge, edge.destinations.set_switch(call["NAME"], position)),
                   "edge.destination/1");
}

/// 1 when the test event was not delivered.
Result<int> test(Call& call) {
  if (call.dry_run()) {
    call.note("would send one marked event to " + call["NAME"]);
    return exit_code::kDone;
  }
  if (Remote* daemon = call.running_daemon()) {
    const auto answer = daemon->exchange("POST", path_of(call, "test"));
    const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                                 : Result<json::Document>(Failure(answer.error()));
    if (!document || !document->root().find("requests")) {
      return Failure(answer ? error_of(*answer) : answer.error());
    }
    auto printed = print_one(call, answer->body, "edge.destination-test/1");
    return printed && answer->status != 200 ? Result<int>(exit_code::kNo) : printed;
  }
  Edge& edge = call.edge(Call::Access::Read);
  const auto entry = entry_of(edge, call["NAME"]);
  const auto attempt =
      entry ? edge.forwarders.send_now((*entry)->definition.id,
                                       delivery::test_event(call.clock().now(), edge.ids))
            : Result<delivery::Attempt>(Failure(entry.error()));
  if (!attempt) {
    return Failure(attempt.error());
  }
  json::Writer out;
  out.begin_object();
  delivery::write_attempt(out, **entry, *attempt);
  auto printed = print_one(call, out.end_object().take(), "edge.destination-test/1");
  return printed && !delivery::succeeded(*attempt) ? Result<int>(exit_code::kNo) : printed;
}

Result<int> preview(Call& call) {
  const auto event = call.input();
  if (!event) {
    return Failure(event.error());
  }
  if (Remote* daemon = call.asked_daemon()) {
    const std::string query = call.flag("canonical") ? "preview?canonical=1" : "preview";
    return print_one(call, body_of(daemon->post(path_of(call, query), *event)), "edge.preview/1");
  }
  const auto edge = edge_for_reading(call);
  const auto entry = entry_of(*edge, call["NAME"]);
  if (!entry) {
    return Failure(entry.error());
  }
  json::Writer out;
  out.begin_object();
  auto written = delivery::write_preview(
      out, **entry, *event, {.canonical = call.flag("canonical")}, call.clock(), edge->ids);
  return written ? print_one(call, out.end_object().take(), "edge.preview/1")
                 : Failure(written.error());
}

constexpr std::string_view kDestinationSchema =
    R"({"type":"object","required":["schema","id","name","type","state","pending"],"properties":{)"
    R"("schema":{"const":"edge.destination/1"},"id":{"type":"string"},"pending":{"type":"integer"}}})";

Option name_option() {
  return {.name = "NAME",
          .help = "id or name of the destination",
          .required = true,
          .complete = Complete::Destinations};
}

Command& with_settings(Command& command) {
  return command.option({.name = "to", .value = "URL", .help = "where it sends"})
      .option({.name = "secret", .value = "NAME", .help = "name of the secret that holds its key"})
      .option({.name = "filter",
               .value = "EXPR",
               .help = "only events for which this is true (edgectl help expressions)"})
      .option({.name = "consent",
               .value = "CATEGORY",
               .help = "only events whose sender agreed to it",
               .repeatable = true})
      .option({.name = "ip",
               .value = "MODE",
               .help = "what it gets of addresses; privacy.ip when not given",
               .choices = {"full", "truncate", "none"}})
      .option({.name = "set",
               .value = "KV",
               .help = "a setting: of its type, or rate, retry, lingerMs and what else all have",
               .type = Type::KeyValue,
               .repeatable = true})
      .changes()
      .output("destination", kDestinationSchema);
}

void declare_changes(Tree& tree) {
  with_settings(tree.command("destination create", "Make a destination")
                    .positional({.name = "NAME", .help = "what it is called", .required = true})
                    .option({.name = "type",
                             .value = "TYPE",
                             .help = "kind of destination",
                             .fallback = "webhook"}))
      .example("destination create crm --to https://crm.example/in --secret CRM_WEBHOOK",
               "a signed webhook")
      .exits(exit_code::kRefused, "there is one of that name already")
      .runs([](Call& call) { return change(call, definition_of(call, true), true); });
  with_settings(tree.command("destination update", "Change settings of a destination")
                    .positional(name_option()))
      .example("destination update crm --set format=standard --set rate=50/s",
               "another shape of the body, and not too fast")
      .example(
          "destination update crm --filter 'event = \"Order Completed\" and properties.total > "
          "100'",
          "large orders only")
      .exits(exit_code::kNotFound, "no such destination")
      .runs(on_one([](Call& call) { return change(call, definition_of(call, false), false); }));
  tree.command("destination enable", "Route events to a destination")
      .positional(name_option())
      .changes()
      .example("destination enable crm", "from the next event on")
      .output("destination", kDestinationSchema)
      .runs(on_one([](Call& call) { return change(call, R"({"enabled":true})", false); }));
  tree.command("destination disable", "Route no more events to a destination")
      .positional(name_option())
      .changes()
      .example("destination disable crm", "what waits for it is kept")
      .output("destination", kDestinationSchema)
      .runs(on_one([](Call& call) { return change(call, R"({"enabled":false})", false); }));
  tree.command("destination pause", "Deliver nothing for now; events wait")
      .positional(name_option())
      .changes()
      .example("destination pause crm", "while it is being repaired")
      .output("destination", kDestinationSchema)
      .exits(exit_code::kNotFound, "no such destination")
      .runs(on_one([](Call& call) { return turn(call, destinations::Switch::Paused); }));
  tree.command("destination resume", "Deliver again, also after refused credentials")
      .positional(name_option())
      .changes()
      .example("destination resume crm", "what waited goes out")
      .output("destination", kDestinationSchema)
      .exits(exit_code::kNotFound, "no such destination")
      .runs(on_one([](Call& call) { return turn(call, destinations::Switch::On); }));
  tree.command("destination delete", "Remove a destination and what waits for it")
      .positional(name_option())
      .changes()
      .example("destination delete crm", "its dead letters stay")
      .exits(exit_code::kNotFound, "no such destination")
      .runs(on_one(erase));
}

}  // namespace

void destination(Tree& tree) {
  tree.noun("destination", Section::Manage, "Where events are forwarded to");
  tree.command("destination list", "List destinations and their state")
      .example("destination list", "what waits where")
      .output("destinations",
              R"({"type":"object","required":["schema","destinations"],"properties":{"schema":)"
              R"({"const":"edge.destinations/1"},"destinations":{"type":"array"}}})")
      .runs(list);
  tree.command("destination show", "Show one destination, secrets hidden")
      .positional(name_option())
      .example("destination show crm --json", "for a script")
      .output("destination", kDestinationSchema)
      .exits(exit_code::kNotFound, "no such destination")
      .runs(on_one(show));
  declare_changes(tree);
  tree.command("destination test", "Send one marked event")
      .positional(name_option())
      .changes()
      .example("destination test crm", "exit 1 when it is not taken")
      .output(
          "destination-test",
          R"({"type":"object","required":["schema","success","requests"],"properties":{"schema":)"
          R"({"const":"edge.destination-test/1"},"success":{"type":"boolean"}}})")
      .exits(exit_code::kNo, "it was not delivered")
      .runs(on_one(test));
  tree.command("destination preview", "Print the requests an event would become")
      .positional(name_option())
      .reads_input()
      .flag("canonical", "the event is normalised and enriched already")
      .example("destination preview crm -i event.json", "no network, secrets hidden")
      .output(
          "preview",
          R"({"type":"object","required":["schema","result","requests"],"properties":{"schema":)"
          R"({"const":"edge.preview/1"},"result":{"type":"string"}}})")
      .exits(exit_code::kNotFound, "no such destination")
      .runs(on_one(preview));
  tree.command("destination stats", "Counts, times and the last error")
      .positional(
          {.name = "NAME", .help = "only this destination", .complete = Complete::Destinations})
      .option({.name = "since",
               .value = "TIME",
               .help = "counts from then on, to ten minutes, of the last 31 days",
               .type = Type::Time})
      .example("destination stats", "all of them")
      .example("destination stats crm --since -1h", "what became of the last hour's events")
      .output("destination-stats",
              R"({"type":"object","required":["schema","destinations"],"properties":{"schema":)"
              R"({"const":"edge.destination-stats/1"},"destinations":{"type":"array"}}})")
      .runs(on_one(stats));
}

}  // namespace edge::cli::commands
