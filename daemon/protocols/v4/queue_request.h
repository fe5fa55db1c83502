// SPDX-License-Identifier: MIT
// What the routes of the queues in the v4 API have in common (platform spec 3.2).
#pragma once

#include <string>

#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/queues/queues.h"
#include "daemon/http/exchange.h"
#include "daemon/protocols/v4/envelope.h"
#include "daemon/routes.h"

namespace edge::protocols::v4 {

/// `queues` of the account.
inline const std::string kQueues = "/client/v4/accounts/:account/queues";

/// The queue of the path, `:queue`, by id or name. NotFound also for a wrong account.
Result<queues::QueuePointer> queue_of(Edge& edge, const http::Request& request);
/// The body as a JSON object; an empty one is `{}`. Failures: InvalidArgument, reason `bad_json` or
/// `bad_shape`.
Result<json::Document> object_of(const http::Request& request);
/// The problem that an error of a queue is here: a store that is too busy is 429.
http::Problem queue_problem(const Error& error);

/// `{"metrics":{"backlog_count":…,"backlog_bytes":…,"oldest_message_timestamp_ms":…}}`.
void write_metrics(json::Writer& out, const queues::Backlog& backlog);

/// A handler whose errors are told as these routes do.
template <typename Handle>
auto queue_told(Edge& edge, Handle handle) {
  return [&edge, handle](const http::Request& request) -> Result<http::Response> {
    Result<http::Response> response = handle(edge, request);
    return response ? std::move(response) : http::Response(queue_problem(response.error()));
  };
}

}  // namespace edge::protocols::v4
