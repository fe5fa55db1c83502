// SPDX-License-Identifier: MIT
#include "daemon/protocols/v4/kv_request.h"

#include "core/edge.h"

namespace edge::protocols::v4 {

Result<kv::Namespace> namespace_of(Edge& edge, const http::Request& request) {
  if (const auto account = check_account(request); !account) {
    return Failure(account.error());
  }
  return edge.kv.namespaces.find(request.param("ns"));
}

Result<json::Document> json_of(const http::Request& request) {
  return json::Document::parse(request.body(), json::kApi);
}

kv::Done answer(const http::Exchange& exchange, std::string result) {
  return [exchange, result = std::move(result)](const Result<void>& done) {
    if (!done) {
      return fail(exchange, done.error());
    }
    exchange.complete(success(result));
  };
}

void fail(const http::Exchange& exchange, const Error& error) {
  exchange.fail(problem_of(error));
}

}  // namespace edge::protocols::v4
