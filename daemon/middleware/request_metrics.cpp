// SPDX-License-Identifier: MIT
// Stage 3 too: counts answers by route and status class, and how long they took.
#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

constexpr std::size_t kClasses = 6;  // 1xx to 5xx; index 0 is unused

/// Counters looked up once, at start; the map is only read afterwards.
using Counters = std::unordered_map<const http::Route*, std::array<metrics::Counter*, kClasses>>;

}  // namespace

void request_metrics(Chain& chain) {
  auto& family =
      chain.metrics.counter("edge_http_requests_total", "Answers sent", {"route", "class"});
  auto& seconds =
      chain.metrics.histogram("edge_http_request_seconds", "Time from head to answer").with({});
  auto counters = std::make_shared<Counters>();
  const auto add = [&](const http::Route* route, const std::string& name) {
    for (std::size_t i = 1; i < kClasses; ++i) {
      (*counters)[route][i] = &family.with({name, std::to_string(i) + "xx"});
    }
  };
  add(nullptr, "-");
  for (const auto& route : chain.router.routes()) {
    add(route.get(), route->pattern);
  }
  chain.on_answer(Stage::AccessLog,
                  [counters, &seconds, &clock = chain.clock](
                      http::Request& request, const http::Route* route, http::Response& response) {
                    const auto found = counters->find(route);
                    const auto index = static_cast<std::size_t>(response.status() / 100);
                    if (found != counters->end() && index > 0 && index < kClasses) {
                      found->second[index]->add();
                    }
                    const std::chrono::duration<double> took = clock.steady() - request.started();
                    seconds.observe(took.count());
                  });
}

}  // namespace edge::middleware
