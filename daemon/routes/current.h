// SPDX-License-Identifier: MIT
// Read your writes (events spec 0): an answer about people shows the effect of everything that was
// answered before the question came.
#pragma once

#include <functional>
#include <memory>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/profiles/projector.h"
#include "daemon/http/exchange.h"
#include "daemon/http/response.h"

namespace edge::routes {

/// Answers once everything accepted so far is in the profiles; no thread waits. `answer` must be
/// quick: it runs on the thread that folds.
void answer_current(Edge& edge,
                    const http::Exchange& exchange,
                    std::function<Result<http::Response>()> answer);

/// The same for answers that take long: waits, so only on the pool.
Result<http::Response> answer_later(Edge& edge,
                                    const std::function<Result<http::Response>()>& answer);

/// Runs a task of the projector, then answers.
void answer_after(Edge& edge,
                  const http::Exchange& exchange,
                  profiles::Projector::Task task,
                  std::function<Result<http::Response>()> answer);

/// The body as an object; shared because the answer is made later. Failure: InvalidArgument.
Result<std::shared_ptr<const json::Document>> object_of(const http::Request& request);

}  // namespace edge::routes
