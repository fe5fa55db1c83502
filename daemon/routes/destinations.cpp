// SPDX-License-Identifier: MIT
// Destinations of the seed API: list, show, create, change, remove, pause, resume, test, preview
// (events spec 2.6, 7.1). Everything here asks the store or a network, so it runs on the pool.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "core/delivery/preview.h"
#include "core/delivery/report.h"
#include "core/edge.h"
#include "daemon/routes.h"
#include "daemon/routes/query.h"

namespace edge::routes {
namespace {

using destinations::Switch;
using EntryPointer = std::shared_ptr<const destinations::Entry>;

RouteOptions reads() {
  return {.needs = "destinations:read", .runs = Runs::OnPool};
}
RouteOptions operates() {
  return {.needs = "destinations:operate", .runs = Runs::OnPool};
}
RouteOptions writes() {
  return {.needs = "destinations:write", .runs = Runs::OnPool};
}

Result<EntryPointer> entry_of(Edge& edge, const http::Request& request) {
  auto entry = edge.destinations.table().get()->find(request.param("id"));
  if (!entry) {
    return Failure(
        {ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", request.param("id"))});
  }
  return entry;
}

/// `since`: what happened from then on is told too.
Result<void> write_one(json::Writer& out,
                       Edge& edge,
                       const destinations::Entry& entry,
                       std::optional<Time> since = {}) {
  const auto status = edge.forwarders.status(entry.definition.id);
  if (!status) {
    return Failure(status.error());
  }
  out.begin_object();
  delivery::write_destination(out, entry, *status, edge.catalogue);
  auto written = since ? delivery::write_since(out, edge.store, entry, *since) : Result<void>();
  out.end_object();
  return written;
}

Result<http::Response> shown(Edge& edge,
                             const Result<EntryPointer>& entry,
                             const Result<std::optional<Time>>& since = std::optional<Time>{}) {
  if (!entry || !since) {
    return Failure(entry ? since.error() : entry.error());
  }
  json::Writer out;
  return write_one(out, edge, **entry, *since).map([&] { return http::json(out); });
}

Result<http::Response> list(Edge& edge, const http::Request& request) {
  const auto since = since_in(request);
  if (!since) {
    return Failure(since.error());
  }
  json::Writer out;
  out.begin_object().key("destinations").begin_array();
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    if (auto written = write_one(out, edge, *entry, *since); !written) {
      return Failure(written.error());
    }
  }
  out.end_array().end_object();
  return http::json(out);
}

/// The definition in a body, laid over `base`, in place of `present`.
Result<destinations::Definition> definition_in(const http::Request& request,
                                               const Edge& edge,
                                               destinations::Definition base = {},
                                               const destinations::Definition* present = nullptr) {
  const auto document = json::Document::parse(request.body(), json::kApi);
  if (!document) {
    return Failure(document.error());
  }
  return destinations::read_definition(document->root(), edge.catalogue, std::move(base), present);
}

/// An error of a definition; what the original said when name or type was missing.
Result<http::Response> refused(const Error& error) {
  if (error.reason == "missing_fields") {
    http::Problem problem = http::problem_of(error);
    problem.error = "Missing required fields";
    return http::Response(std::move(problem));
  }
  return Failure(error);
}

Result<http::Response> create(Edge& edge, const http::Request& request) {
  const auto definition = definition_in(request, edge);
  return definition ? shown(edge, edge.destinations.create(*definition))
                    : refused(definition.error());
}

Result<http::Response> change(Edge& edge, const http::Request& request, bool keeps_others) {
  const auto entry = entry_of(edge, request);
  if (!entry) {
    return Failure(entry.error());
  }
  const destinations::Definition& present = (*entry)->definition;
  const auto definition =
      definition_in(request, edge, keeps_others ? present : destinations::Definition{}, &present);
  return definition ? shown(edge, edge.destinations.replace(present.id, *definition))
                    : refused(definition.error());
}

Result<http::Response> erase(Edge& edge, const http::Request& request) {
  return edge.destinations.erase(request.param("id")).map([] {
    json::Writer out;
    out.begin_object().member("success", true).end_object();
    return http::json(out);
  });
}

Result<http::Response> test(Edge& edge, const http::Request& request) {
  const auto entry = entry_of(edge, request);
  if (!entry) {
    return Failure(entry.error());
  }
  const auto attempt = edge.forwarders.send_now((*entry)->definition.id,
                                                delivery::test_event(edge.clock.now(), edge.ids));
  if (!attempt) {
    return Failure(attempt.error());
  }
  json::Writer out;
  out.begin_object();
  delivery::write_attempt(out, **entry, *attempt);
  out.end_object();
  return http::json(out, delivery::succeeded(*attempt) ? 200 : 502);
}

/// Answers as if the event of a suppressed person had been sent: nobody learns who is on the list.
http::Response withheld(Edge& edge, const destinations::Entry& entry, bool is_queued) {
  edge.metrics
      .counter(
          "edge_events_suppressed_total", "Valid events that were not kept, by reason", {"reason"})
      .with({"suppressed"})
      .add();
  json::Writer out;
  out.begin_object().member("success", true).member("destination", entry.definition.name);
  if (is_queued) {
    out.member("queued", true).end_object();
    return http::json(out, 202);
  }
  out.key("requests").begin_array().end_array().member("responseTime", 0).end_object();
  return http::json(out);
}

/// Sends one event now, once; with `?queue=1` like any other, later. Not those of suppressed people
/// (events spec 5.7).
Result<http::Response> forward(Edge& edge, const http::Request& request) {
  const auto entry = entry_of(edge, request);
  if (!entry) {
    return Failure(entry.error());
  }
  if (!(*entry)->is_enabled()) {
    return Failure({ErrorCode::Conflict, "the destination is disabled", {}, "disabled"});
  }
  const auto text = delivery::canonical_text(request.body(), edge.clock.now(), edge.ids);
  const auto event =
      text ? events::Event::decode(*text) : Result<events::Event>(Failure(text.error()));
  if (!event) {
    return Failure(event.error());
  }
  if (edge.suppressions.names(*event)) {
    return withheld(edge, **entry, request.query_value("queue") == "1");
  }
  const std::string& id = (*entry)->definition.id;
  json::Writer out;
  out.begin_object();
  if (request.query_value("queue") == "1") {
    return edge.forwarders.enqueue(id, *text).map([&] {
      out.member("success", true).member("destination", (*entry)->definition.name);
      out.member("queued", true).end_object();
      return http::json(out, 202);
    });
  }
  const auto attempt = edge.forwarders.send_now(id, *text);
  if (!attempt) {
    return Failure(attempt.error());
  }
  delivery::write_attempt(out, **entry, *attempt);
  if (delivery::succeeded(*attempt)) {
    out.end_object();
    return http::json(out);
  }
  return http::Response(http::Problem{.status = 502,
                                      .code = "delivery_failed",
                                      .error = "Failed to forward event",
                                      .members = out.text().substr(1)});
}

Result<http::Response> preview(Edge& edge, const http::Request& request) {
  const auto entry = entry_of(edge, request);
  if (!entry) {
    return Failure(entry.error());
  }
  const bool secrets = request.query_value("secrets") == "1";
  if (secrets && !(request.principal() != nullptr &&
                   http::allows(*request.principal(), "destinations:write"))) {
    return Failure({ErrorCode::PermissionDenied, "secrets=1 needs destinations:write"});
  }
  json::Writer out;
  out.begin_object();
  return delivery::write_preview(
             out,
             **entry,
             request.body(),
             {.canonical = request.query_value("canonical") == "1", .secrets = secrets},
             edge.clock,
             edge.ids)
      .map([&] {
        out.end_object();
        return http::json(out);
      });
}

}  // namespace

void destinations(Mount& mount) {
  Edge& edge = mount.edge;
  mount.get("/cdp/destinations", reads(), [&edge](const http::Request& request) {
    return list(edge, request);
  });
  mount.get("/cdp/destinations/:id", reads(), [&edge](const http::Request& request) {
    return shown(edge, entry_of(edge, request), since_in(request));
  });
  mount.post("/cdp/destinations", writes(), [&edge](const http::Request& request) {
    return create(edge, request);
  });
  mount.put("/cdp/destinations/:id", writes(), [&edge](const http::Request& request) {
    return change(edge, request, false);
  });
  mount.patch("/cdp/destinations/:id", writes(), [&edge](const http::Request& request) {
    return change(edge, request, true);
  });
  mount.del("/cdp/destinations/:id", writes(), [&edge](const http::Request& request) {
    return erase(edge, request);
  });
  mount.post("/cdp/destinations/:id/pause", operates(), [&edge](const http::Request& request) {
    return shown(edge, edge.destinations.set_switch(request.param("id"), Switch::Paused));
  });
  mount.post("/cdp/destinations/:id/resume", operates(), [&edge](const http::Request& request) {
    return shown(edge, edge.destinations.set_switch(request.param("id"), Switch::On));
  });
  mount.post("/cdp/destinations/:id/test", operates(), [&edge](const http::Request& request) {
    return test(edge, request);
  });
  mount.post("/cdp/forward/:id", operates(), [&edge](const http::Request& request) {
    return forward(edge, request);
  });
  mount.post("/cdp/destinations/:id/preview", reads(), [&edge](const http::Request& request) {
    return preview(edge, request);
  });
}

}  // namespace edge::routes
