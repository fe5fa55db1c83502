// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <utility>

#include "core/edge.h"
#include "daemon/http/exchange.h"

namespace edge::routes {

/// Runs a job that hashes a password on the threads of `login.hashes` and answers with what it
/// returns; 503 when too many wait.
template <typename Job>
void hash(Edge& edge, const http::Exchange& exchange, Job job) {
  const auto taken = edge.login.hashes.submit([exchange, job = std::move(job)](bool in_time) {
    if (!in_time) {
      exchange.fail(accounts::HashPool::busy());
      return;
    }
    try {
      exchange.complete(job());
    } catch (const std::exception& fault) {  // the edge of this thread: no memory, a broken store
      exchange.fail(Error{ErrorCode::Internal, fault.what()});
    }
  });
  if (!taken) {
    exchange.fail(taken.error());
  }
}

}  // namespace edge::routes
