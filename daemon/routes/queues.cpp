// SPDX-License-Identifier: MIT
// Queues for people and simple programs: POST /api/queue/send takes any JSON (platform spec 3.4),
// GET /api/queues says how queues stand, and POST /api/queues/NAME/revive puts dead letters back.
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/queues/report.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr const char* kUsual = "events";  // always there

http::Problem problem_of(const Error& error) {
  http::Problem problem = http::problem_of(error);
  if (error.reason == "queue_not_found") {
    problem.error = "Queue not found";
  }
  return problem;
}

void send(Edge& edge, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto named = request.query_value("queue");
  const auto queue = named ? edge.queues.table.find(*named) : edge.queues.table.ensure(kUsual);
  if (!queue) {
    return exchange.fail(problem_of(queue.error()));
  }
  if (const auto body = json::Document::parse(request.body(), json::kApi); !body) {
    return exchange.fail(problem_of(body.error()));
  }
  queues::SendRequest one;
  one.messages.push_back({.body = std::string(request.body())});
  edge.queues.send(*queue,
                   std::move(one),
                   [exchange, now = to_ms(edge.clock.now())](const Result<queues::Backlog>& done) {
                     if (!done) {
                       return exchange.fail(problem_of(done.error()));
                     }
                     json::Writer out;
                     out.begin_object().member("success", true).member("timestamp", now);
                     exchange.complete(http::json(out.end_object()));
                   });
}

Result<http::Response> list(Edge& edge) {
  const auto all = edge.queues.table.list();
  if (!all) {
    return Failure(all.error());
  }
  json::Writer out;
  out.begin_object().key("queues").begin_array();
  for (const queues::QueuePointer& queue : *all) {
    const auto standing = edge.queues.standing(queue);
    if (!standing) {
      return Failure(standing.error());
    }
    queues::write_report(out, *queue, *standing, edge.queues.rate(*queue));
  }
  return http::json(out.end_array().end_object());
}

Result<http::Response> show(Edge& edge, const http::Request& request) {
  const auto queue = edge.queues.table.find(request.param("queue"));
  const auto standing =
      queue ? edge.queues.standing(*queue) : Result<queues::Standing>(Failure(queue.error()));
  if (!standing) {
    return http::Response(problem_of(standing.error()));
  }
  json::Writer out;
  queues::write_details(out, **queue, *standing, edge.queues.rate(**queue));
  return http::json(out);
}

Result<http::Response> revive(Edge& edge, const http::Request& request) {
  const auto queue = edge.queues.table.find(request.param("queue"));
  const auto revived =
      queue ? edge.queues.revive(*queue) : Result<std::size_t>(Failure(queue.error()));
  if (!revived) {
    return http::Response(problem_of(revived.error()));
  }
  json::Writer out;
  return http::json(out.begin_object().member("revived", std::uint64_t{*revived}).end_object());
}

}  // namespace

void queues(Mount& mount) {
  Edge& edge = mount.edge;
  mount.post("/api/queue/send",
             {.needs = "queue:send", .runs = Runs::OnPool},
             [&edge](const http::Exchange& exchange) { send(edge, exchange); });
  mount.get("/api/queues",
            {.needs = "queue:read", .runs = Runs::OnPool},
            [&edge](const http::Request&) { return list(edge); });
  mount.get("/api/queues/:queue",
            {.needs = "queue:read", .runs = Runs::OnPool},
            [&edge](const http::Request& request) { return show(edge, request); });
  mount.post("/api/queues/:queue/revive",
             {.needs = "queue:manage", .runs = Runs::OnPool},
             [&edge](const http::Request& request) { return revive(edge, request); });
}

}  // namespace edge::routes
