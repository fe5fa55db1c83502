// SPDX-License-Identifier: MIT
// What the routes of the key-value store in the v4 API have in common (platform spec 1.2).
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "core/json/document.h"
#include "core/kv/kv.h"
#include "daemon/http/exchange.h"
#include "daemon/protocols/v4/envelope.h"
#include "daemon/routes.h"

namespace edge::protocols::v4 {

/// `namespaces` of the account.
inline const std::string kNamespaces = "/client/v4/accounts/:account/storage/kv/namespaces";

/// The namespace of the path, `:ns`. NotFound also for a wrong account.
Result<kv::Namespace> namespace_of(Edge& edge, const http::Request& request);
/// The body as JSON. Failure: InvalidArgument, reason `bad_json`.
Result<json::Document> json_of(const http::Request& request);
/// Answers with this result (JSON text) once a write is durable.
kv::Done answer(const http::Exchange& exchange, std::string result);
/// Fails with the error as this API tells it.
void fail(const http::Exchange& exchange, const Error& error);

/// A handler of a request whose errors are told as this API does.
template <typename Handle>
auto told(Edge& edge, Handle handle) {
  return [&edge, handle](const http::Request& request) -> Result<http::Response> {
    Result<http::Response> response = handle(edge, request);
    return response ? std::move(response) : http::Response(problem_of(response.error()));
  };
}

}  // namespace edge::protocols::v4
