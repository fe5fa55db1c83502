// SPDX-License-Identifier: MIT
// What the running daemon is doing.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/daemon_process.h"
#include "cli/remote_list.h"
#include "core/json/document.h"
#include "core/json/members.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// The sum of a counter over all its labels in Prometheus text.
std::int64_t metric(std::string_view text, std::string_view name) {
  double sum = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool matches = line.starts_with(name) && line.size() > name.size() &&
                         (line[name.size()] == ' ' || line[name.size()] == '{');
    const std::size_t blank = line.rfind(' ');
    if (matches && blank != std::string_view::npos) {
      double value = 0;
      std::from_chars(line.data() + blank + 1, line.data() + line.size(), value);
      sum += value;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return static_cast<std::int64_t>(sum);
}

std::string health_of(Remote& daemon) {
  const auto answer = daemon.exchange("GET", "/health");
  const auto body = answer ? json::Document::parse(answer->body, json::kEvent)
                           : Result<json::Document>(Failure(answer.error()));
  const auto status = body ? body->root().find("status") : std::nullopt;
  return std::string(status ? status->as_string().value_or("unknown") : "unknown");
}

/// Adds the list `name` with `members` of its elements; nothing when the daemon does not tell.
void add_list(json::Writer& out,
              Remote& daemon,
              const char* name,
              std::initializer_list<std::string_view> members) {
  const auto items = list_of(daemon, std::string("/cdp/") + name, name);
  if (!items) {
    return;
  }
  out.key(name).begin_array();
  for (const std::string& item : *items) {
    const auto document = json::Document::parse(item, json::kApi);
    out.begin_object();
    for (const std::string_view member : members) {
      if (const auto value = document ? document->root().find(member) : std::nullopt) {
        out.key(member).value(*value);
      }
    }
    out.end_object();
  }
  out.end_array();
}

std::string line_of(json::Value item, bool is_source) {
  const auto number = [&](const char* name) { return json::number_in(item, name); };
  if (!is_source) {
    return fmt::format(
        "{}, {} pending, {} dead", json::text_in(item, "state"), number("pending"), number("dead"));
  }
  const auto last = item.find("lastDuplicate");
  return fmt::format("{} received, {} duplicates{}",
                     number("received"),
                     number("duplicates"),
                     last ? " (the last: " + json::text_in(*last, "messageId") + ")" : "");
}

/// A line per member, and per element of its lists.
std::string table_of(const std::string& text, const Layout& layout) {
  const auto document = json::Document::parse(text, json::kApi);
  Rows rows;
  for (const auto& [name, value] : document->root().members()) {
    if (value.is_array()) {
      const bool is_source = name == "sources";
      for (const json::Value item : value.elements()) {
        rows.push_back(
            {fmt::format(
                 "{} {}", is_source ? "source" : "destination", json::text_in(item, "name")),
             line_of(item, is_source)});
      }
    } else if (name != "schema") {
      rows.push_back({std::string(name), std::string(value.as_string().value_or(value.raw()))});
    }
  }
  return render_table(rows, layout);
}

Result<int> run_status(Call& call) {
  Remote& daemon = call.remote();
  const auto metrics = daemon.get("/metrics");
  if (!metrics && is_unreachable(metrics.error())) {
    return call.fail({.error = metrics.error(), .side = Side::Remote, .hint = "edgectl up"});
  }
  const auto running = find_runtime_file();
  json::Writer out;
  out.begin_object().member("schema", "edge.status/1").member("url", daemon.url());
  out.member("status", health_of(daemon));
  if (running && running->url == daemon.url()) {
    out.member("version", running->version).member("pid", running->pid);
    if (const auto started = parse_time(running->started, call.clock().now())) {
      out.member("started", running->started);
      out.member("uptimeMs", std::int64_t{(call.clock().now() - *started).count()});
    }
    out.member("log", log_path());
  }
  if (metrics) {
    out.member("events", metric(metrics->body, "edge_events_received_total"));
    out.member("requests", metric(metrics->body, "edge_http_requests_total"));
  }
  add_list(out, daemon, "destinations", {"id", "name", "state", "pending", "delivered", "dead"});
  add_list(out, daemon, "sources", {"name", "received", "duplicates", "lastDuplicate"});
  std::string text = out.end_object().take();
  std::string human = table_of(text, call.layout());
  return call.print(Document{.json = std::move(text), .human = std::move(human)});
}

}  // namespace

void status(Tree& tree) {
  tree.command("status", "What the running daemon is doing")
      .in(Section::Daemon)
      .about(
          "Destinations and sources are shown to those who may read them. A source with many "
          "duplicates uses message ids again: look at the event with edgectl events show ID.")
      .example("status", "version, address, uptime, counts, destinations, sources")
      .example("status --json --select /status", "for a script")
      .output(
          "status",
          R"({"type":"object","required":["schema","url","status"],"properties":{)"
          R"("schema":{"const":"edge.status/1"},"url":{"type":"string"},"status":{"type":"string"},)"
          R"("version":{"type":"string"},"pid":{"type":"integer"},"started":{"type":"string"},)"
          R"("uptimeMs":{"type":"integer"},"log":{"type":"string"},"events":{"type":"integer"},)"
          R"("requests":{"type":"integer"},"destinations":{"type":"array","items":{"type":"object",)"
          R"("required":["id","name","state","pending","delivered","dead"]}},"sources":{"type":)"
          R"("array","items":{"type":"object","required":["name","received","duplicates"]}}}})")
      .exits(exit_code::kUnreachable, "no daemon is running")
      .runs(run_status);
}

}  // namespace edge::cli::commands
