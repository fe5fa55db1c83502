// SPDX-License-Identifier: MIT
#include "daemon/pipeline.h"

#include <exception>
#include <string>
#include <utility>
#include <variant>

#include "daemon/http/carried.h"

namespace edge {
namespace {

/// The route of a request, unless its listener does not carry that: then it is as if it were not
/// there.
const http::Route* find_route(const http::Router& router, http::Request& request) {
  const http::Match match = router.match(request);
  const http::Route* any = match.route != nullptr ? match.route : match.any;
  http::RequestParts& parts = request.parts();
  if (any == nullptr || parts.carried == nullptr || parts.carried->holds(*any)) {
    return match.route;
  }
  parts.path_route = nullptr;
  parts.allowed = 0;
  parts.bad_path = false;
  parts.route = {};
  parts.params.clear();
  return nullptr;
}

/// Bodies beyond this take a handler longer than a loop may stand still.
constexpr std::size_t kReadOnLoop = std::size_t{64} << 10U;
/// Packed bodies beyond this may be such ones.
constexpr std::size_t kUnpackedOnLoop = std::size_t{2} << 10U;

bool is_long(const http::Request& request) {
  const std::string_view body = request.body();
  const bool is_packed = request.header("Content-Encoding") || body.starts_with("\x1F\x8B");
  return body.size() > (is_packed ? kUnpackedOnLoop : kReadOnLoop);
}

}  // namespace

Pipeline::Pipeline(Chain& chain, http::Pool& pool)
    : chain_(chain),
      pool_(pool),
      refused_(chain.metrics.counter(
          "edge_http_refused_total", "Connections refused before there was a request", {"status"})),
      faults_(chain.metrics.counter("edge_http_faults_total", "Faults in handlers").with({})) {
  chain_.accept = [](http::Exchange exchange) { http::Service::accept(std::move(exchange)); };
  chain_.handle = [this](http::Exchange exchange) { run_handler(exchange); };
}

void Pipeline::begin(http::Exchange exchange) {
  try {
    exchange.state()->route = find_route(chain_.router, exchange.request());
    chain_.enter(exchange);
  } catch (const std::exception& thrown) {
    fault(exchange, thrown.what());
  }
}

void Pipeline::handle(http::Exchange exchange) {
  if (exchange.state()->route->options.runs == http::Runs::OnLoop && !is_long(exchange.request())) {
    call(exchange);
    return;
  }
  defer(exchange, [this, exchange] { call(exchange); });
}

void Pipeline::defer(const http::Exchange& exchange, std::function<void()> job) {
  const bool taken = pool_.submit([this, exchange, job = std::move(job)] {
    try {
      job();
    } catch (const std::exception& thrown) {
      fault(exchange, thrown.what());
    }
  });
  if (!taken) {
    exchange.fail({.code = ErrorCode::Unavailable,
                   .message = "too much work is waiting",
                   .retry_after = std::chrono::seconds(1)});
  }
}

void Pipeline::call(const http::Exchange& exchange) const {
  try {
    chain_.enter_body(exchange);
  } catch (const std::exception& thrown) {
    fault(exchange, thrown.what());
  }
}

void Pipeline::run_handler(const http::Exchange& exchange) const {
  const http::Handler& handler = exchange.state()->route->handler;
  if (const auto* sync = std::get_if<http::SyncHandler>(&handler)) {
    exchange.complete((*sync)(exchange.request()));
    return;
  }
  std::get<http::AsyncHandler>(handler)(exchange);
}

void Pipeline::fault(const http::Exchange& exchange, const char* what) const {
  faults_.add();
  chain_.log.error("a request failed",
                   {{"requestId", exchange.request().request_id()},
                    {"route", exchange.request().route()},
                    {"what", what}});
  exchange.fail(http::Problem{.status = 500, .code = "internal"});
}

void Pipeline::decorate(http::Request& request,
                        const http::Route* route,
                        http::Response& response) {
  chain_.answer(request, route, response);
}

void Pipeline::refused(int status) {
  refused_.with({std::to_string(status)}).add();
}

}  // namespace edge
