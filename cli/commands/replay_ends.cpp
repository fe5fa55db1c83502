// SPDX-License-Identifier: MIT
#include "cli/commands/replay_ends.h"

#include <fmt/format.h>

#include "cli/commands/letter_list.h"
#include "cli/commands/queue_letters.h"
#include "cli/commands/replay_daemon.h"
#include "cli/commands/replay_letters.h"
#include "cli/commands/replay_queue.h"
#include "cli/problem.h"
#include "cli/remote.h"
#include "core/destinations/definition.h"
#include "core/edge.h"
#include "core/transport/open.h"

namespace edge::cli {
namespace {

/// What stands behind `prefix`, when the text begins with it.
std::optional<std::string> behind(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? std::optional(text.substr(prefix.size())) : std::nullopt;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

bool is_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

Result<delivery::ColumnMap> column_map(const Call& call) {
  delivery::ColumnMap columns;
  for (const std::string& pair : call.all("map")) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == pair.size()) {
      return Failure(usage_error(fmt::format("--map wants FIELD=COL, not \"{}\"", pair), "map"));
    }
    columns.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return columns;
}

}  // namespace

Result<std::unique_ptr<delivery::ReplaySource>> ReplayEnds::source(const std::string& from) {
  if (buries_ && !call_.dry_run() && call_.running_daemon() == nullptr) {
    call_.edge(Call::Access::Write);  // as it is opened first, so it stays
  }
  if (from == "store") {
    return delivery::replay_store(call_.edge(Call::Access::Read).store);
  }
  const auto destination = from == "dlq" ? std::optional<std::string>("") : behind(from, "dlq:");
  if (destination) {
    return letters(*destination);
  }
  if (const auto queue = behind(from, "queue:"); from == "queue" || queue) {
    if (!queue || queue->empty()) {
      return Failure(usage_error("say which queue: queue:NAME", "from"));
    }
    const bool keeps = only_looks();
    return replay_queue(open_queues(call_, keeps ? Call::Access::Read : Call::Access::Write),
                        *queue,
                        keeps,
                        call_.clock().now());
  }
  auto columns = column_map(call_);
  if (columns && is_url(from)) {
    return daemon(from, *columns);
  }
  return columns ? delivery::open_replay_file(from, std::move(*columns)) : Failure(columns.error());
}

/// A name that is a queue's means that queue.
Result<std::unique_ptr<delivery::ReplaySource>> ReplayEnds::letters(const std::string& name) {
  const bool keeps = only_looks() || call_.flag("keep-dead");
  const auto access = keeps ? Call::Access::Read : Call::Access::Write;
  if (!name.empty()) {
    auto store = open_queues(call_, access);
    const auto holder = holder_of(*store, name);
    if (!holder) {
      return Failure(holder.error());
    }
    if (*holder) {
      auto source =
          (*holder)->empty()
              ? Result<std::unique_ptr<delivery::ReplaySource>>(nullptr)
              : replay_queue(std::move(store), **holder, keeps, call_.clock().now(), name);
      const bool has_none =
          source ? *source == nullptr : source.error().code == ErrorCode::NotFound;
      return has_none ? delivery::replay_letters(
                            {.ids = [] { return Result<std::vector<std::string>>({}); }}, keeps)
                      : std::move(source);
    }
  }
  auto shelf = open_letters(call_, name, keeps);
  auto ids = shelf.ids();
  if (!ids) {
    return Failure(no_letters(call_, name, ids.error()));
  }
  shelf.ids = [ids = std::move(*ids)] { return Result<std::vector<std::string>>(ids); };
  return delivery::replay_letters(std::move(shelf), keeps);
}

Result<std::unique_ptr<delivery::ReplaySource>> ReplayEnds::daemon(
    const std::string& url, const delivery::ColumnMap& columns) {
  if (!columns.empty()) {
    return Failure(usage_error("only a CSV file has columns to map", "map"));
  }
  const auto running = find_runtime_file();
  const std::string plain = without_slash(url);
  Remote& remote =
      call_.connect(plain, call_.credential_for(plain, running && running->url == plain));
  auto source = replay_daemon(
      remote,
      {.retries = static_cast<std::uint32_t>(call_.integer("retries")), .wait = wait_},
      call_.random());
  if (!source && (source.error().code == ErrorCode::Unauthenticated ||
                  source.error().code == ErrorCode::PermissionDenied)) {
    throw Stop({.error = source.error(),
                .side = Side::Remote,
                .hint = fmt::format("--token-file FILE, or edgectl auth login --url {}", plain)});
  }
  return source;
}

Result<std::unique_ptr<delivery::ReplayTarget>> ReplayEnds::target(const std::string& to) {
  if (buries_ && !behind(to, "destination:")) {
    return Failure(usage_error(
        "dead letters belong to a destination: --on-error dlq goes with --to destination:NAME",
        "on-error"));
  }
  if (to == "-") {
    return delivery::replay_to_lines([this](std::string_view line) { call_.out().line(line); });
  }
  if (is_url(to)) {
    transport::Headers fields;
    if (call_.has("write-key")) {
      fields.emplace_back("X-Write-Key", call_["write-key"]);
    }
    return delivery::replay_to_daemon(client(), to, std::move(fields), call_.clock());
  }
  if (to == "local") {
    Edge& edge = call_.edge(call_.dry_run() ? Call::Access::Read : Call::Access::Write);
    stores_ = !call_.dry_run();
    return delivery::replay_to_ingest(edge.ingest, edge.sources.fallback().name);
  }
  if (const auto url = behind(to, "webhook:")) {
    return webhook(*url);
  }
  if (const auto name = behind(to, "destination:")) {
    Edge& edge = call_.edge(Call::Access::Read);
    const auto entry = edge.destinations.table().get()->find(*name);
    if (!entry) {
      return Failure({ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", *name)});
    }
    return delivery::replay_to_destination(entry, edge.http, call_.clock(), edge.ids);
  }
  return Failure(usage_error(
      fmt::format("\"{}\" is no target: a URL, local, destination:NAME, webhook:URL or -", to),
      "to"));
}

std::function<std::vector<std::string>(const events::Event&)> ReplayEnds::destinations(
    const std::string& to) {
  const auto name = to.starts_with("webhook:") ? std::optional<std::string>("webhook")
                                               : behind(to, "destination:");
  if (name) {
    return [name](const events::Event&) { return std::vector{*name}; };
  }
  if (to != "local") {
    return [](const events::Event&) { return std::vector<std::string>(); };
  }
  return [table = call_.edge(Call::Access::Read).destinations.table().get()](
             const events::Event& event) {
    const destinations::RouteSet routes = table->route(event);
    std::vector<std::string> ids;
    for (const auto& entry : table->entries()) {
      if (routes.has(entry->number)) {
        ids.push_back(entry->definition.id);
      }
    }
    return ids;
  };
}

std::optional<HistoryWatch> ReplayEnds::history(const std::string& from, const std::string& to) {
  const auto name = behind(to, "destination:");
  if (!name || !(from == "store" || is_url(from))) {
    return std::nullopt;
  }
  const auto entry = call_.edge(Call::Access::Read).destinations.table().get()->find(*name);
  return entry ? std::optional<HistoryWatch>(
                     std::in_place, *name, entry->definition.type, call_.clock().now())
               : std::nullopt;
}

/// A destination that exists for this run only. The user typed the URL: it may be any.
Result<std::unique_ptr<delivery::ReplayTarget>> ReplayEnds::webhook(const std::string& url) {
  json::Writer out;
  out.begin_object().member("url", url).end_object();
  const auto config = json::Document::parse(out.text(), json::kStrict);
  auto made = catalogue_.make(*catalogue_.find("webhook"), config->root(), {});
  if (!made) {
    return Failure(made.error());
  }
  ids_ = std::make_unique<Ids>(call_.random());
  auto entry = std::make_shared<const destinations::Entry>(
      destinations::Entry{.definition = {.id = "webhook", .name = "webhook", .type = "webhook"},
                          .destination = std::move(*made)});
  return delivery::replay_to_destination(std::move(entry), client(), call_.clock(), *ids_);
}

std::function<Result<void>(const delivery::ReplayItem&, const std::string& reason)>
ReplayEnds::graveyard(const std::string& to) {
  const std::string name = behind(to, "destination:").value_or("");
  if (Remote* const daemon = call_.running_daemon()) {
    return [daemon, name](const delivery::ReplayItem& item, const std::string& reason) {
      json::Writer out;
      out.begin_object().member("destination", name).member("reason", reason);
      out.key("event").raw(item.event).end_object();
      return daemon->post("/cdp/dead-letters", out.take()).map([](const auto&) {});
    };
  }
  return [this, name](const delivery::ReplayItem& item, const std::string& reason) {
    return call_.edge()
        .forwarders.dead_letters()
        .enter(name, item.event, reason, call_.random().below(events::Person::kBeyondLog))
        .map([](const std::string&) {});
  };
}

Result<void> ReplayEnds::finish() {
  if (!stores_) {
    return {};
  }
  if (auto drained = call_.edge().projector.drain(); !drained) {
    return drained;
  }
  return call_.edge().forwarders.run_until_idle();
}

bool ReplayEnds::only_looks() const {
  return call_.dry_run() || call_["to"] == "-";
}

transport::HttpClient& ReplayEnds::client() {
  if (!client_) {
    client_ = transport::open_client(transport::GuardRules::trusted(), call_.clock());
  }
  return *client_;
}

}  // namespace edge::cli
