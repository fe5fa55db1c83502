// SPDX-License-Identifier: MIT
#include "daemon/protocols/v4/queue_request.h"

#include "core/edge.h"

namespace edge::protocols::v4 {

Result<queues::QueuePointer> queue_of(Edge& edge, const http::Request& request) {
  if (const auto account = check_account(request); !account) {
    return Failure(account.error());
  }
  return edge.queues.table.find(request.param("queue"));
}

Result<json::Document> object_of(const http::Request& request) {
  auto body = json::Document::parse(request.body().empty() ? "{}" : request.body(), json::kApi);
  if (!body) {
    body.error().reason = "bad_json";
    return body;
  }
  if (!body->root().is_object()) {
    return Failure({ErrorCode::InvalidArgument, "the body is a JSON object", {}, "bad_shape"});
  }
  return body;
}

http::Problem queue_problem(const Error& error) {
  http::Problem problem = problem_of(error);
  if (error.reason == "unavailable") {
    problem.status = 429;
    problem.code = "overloaded";
  } else if (error.reason == "push_consumer") {
    problem.status = 405;
  } else if (error.reason == "queue_delivery_paused") {
    problem.detail = error.reason;
  }
  return problem;
}

void write_metrics(json::Writer& out, const queues::Backlog& backlog) {
  out.begin_object().key("metrics").begin_object();
  out.member("backlog_count", backlog.count).member("backlog_bytes", backlog.bytes);
  out.member("oldest_message_timestamp_ms", backlog.oldest).end_object().end_object();
}

}  // namespace edge::protocols::v4
