// SPDX-License-Identifier: MIT
#include "daemon/routes/current.h"

#include <future>
#include <utility>

namespace edge::routes {

void answer_current(Edge& edge,
                    const http::Exchange& exchange,
                    std::function<Result<http::Response>()> answer) {
  edge.projector.when_current([exchange, answer = std::move(answer)](const Result<void>& reached) {
    if (reached) {
      exchange.complete(answer());
    } else {
      exchange.fail(reached.error());
    }
  });
}

Result<http::Response> answer_later(Edge& edge,
                                    const std::function<Result<http::Response>()>& answer) {
  const auto reached = std::make_shared<std::promise<Result<void>>>();
  auto outcome = reached->get_future();
  // Always called: at the latest when its patience ends.
  edge.projector.when_current(
      [reached](Result<void> result) { reached->set_value(std::move(result)); });
  if (const auto current = outcome.get(); !current) {
    return Failure(current.error());
  }
  return answer();
}

void answer_after(Edge& edge,
                  const http::Exchange& exchange,
                  profiles::Projector::Task task,
                  std::function<Result<http::Response>()> answer) {
  edge.projector.submit(std::move(task),
                        [exchange, answer = std::move(answer)](const Result<void>& done) {
                          if (done) {
                            exchange.complete(answer());
                          } else {
                            exchange.fail(done.error());
                          }
                        });
}

Result<std::shared_ptr<const json::Document>> object_of(const http::Request& request) {
  auto document = json::Document::parse(request.body(), json::kApi);
  if (!document) {
    return Failure(document.error());
  }
  if (!document->root().is_object()) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "body must be a JSON object",
                    .reason = "body_not_object"});
  }
  return std::make_shared<const json::Document>(std::move(*document));
}

}  // namespace edge::routes
