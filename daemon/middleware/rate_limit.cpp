// SPDX-License-Identifier: MIT
// Stages 9 and 11: how many requests a client or an identity may make (platform spec 7). Which
// limits a route has is found out once, at the start.
#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/encoding/percent.h"
#include "core/ratelimit/limiter.h"
#include "daemon/http/address.h"
#include "daemon/local_key.h"
#include "daemon/middleware.h"
#include "daemon/quota_fields.h"
#include "daemon/server_config.h"

namespace edge::middleware {
namespace {

constexpr std::string_view kQuotaExceeded =
    "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// A limit with what is counted of it.
struct Applied {
  const ratelimit::Limit* limit;
  metrics::Counter* refused;
};
using Limits = std::unordered_map<const http::Route*, std::vector<Applied>>;

std::string text_of(const ratelimit::KeyPart& part, const http::Request& request) {
  using Kind = ratelimit::KeyPart::Kind;
  const http::Principal* principal = request.principal();
  switch (part.kind) {
    case Kind::User:
      return principal != nullptr ? principal->id : address_key(request.client());
    case Kind::Address:
      return address_key(request.client());
    case Kind::Header:
      return std::string(request.header(part.text).value_or(std::string_view{}));
    case Kind::Path:
      return encoding::percent_decode(request.path()).value_or(std::string(request.path()));
    case Kind::Literal:
      break;
  }
  return part.text;
}

std::string key_of(const ratelimit::Limit& limit, const http::Request& request) {
  std::string key;
  for (const ratelimit::KeyPart& part : limit.key) {
    key.append(key.empty() ? "" : "|").append(text_of(part, request));
  }
  return key;
}

http::Problem refusal(const ratelimit::Limit& limit, const ratelimit::Verdict& verdict) {
  return {.status = 429,
          .code = "rate_limited",
          .type = kQuotaExceeded,
          .error = "Rate limit exceeded",
          .members = fmt::format(R"("violated-policies":["{}"])", limit.name),
          .retry_after = verdict.retry_after_s.value_or(verdict.reset_s)};
}

/// Counts the request for each limit; the first that refuses answers, unless the route always does.
void judge(http::Exchange exchange,
           const Next& next,
           const std::vector<Applied>& limits,
           ratelimit::Limiter& limiter,
           Time now) {
  http::Request& request = exchange.request();
  const bool answers = exchange.state()->route->options.answers_over_limit;
  for (const Applied& applied : limits) {
    const ratelimit::Limit& limit = *applied.limit;
    const ratelimit::Verdict verdict = limiter.check(limit, key_of(limit, request));
    if (!answers) {
      note(request.parts().quota, limit, verdict, now);
    }
    if (!verdict.allowed) {
      applied.refused->add();
      if (answers) {
        request.parts().quota.is_over = true;
        break;
      }
      exchange.fail(refusal(limit, verdict));
      return;
    }
  }
  next(std::move(exchange));
}

/// The limits of each route that has any, of one of the two stages.
Limits limits_of(const Chain& chain, bool by_identity) {
  Limits out;
  auto& refused =
      chain.metrics.counter("edge_limit_refused_total", "Requests over a limit", {"limit"});
  for (const auto& route : chain.router.routes()) {
    const std::string_view method = route->method ? http::name_of(*route->method) : "";
    for (const ratelimit::Limit& limit : chain.config.limiter->limits()) {
      if (limit.quota.limit > 0 && limit.covers(method, route->pattern) &&
          limit.counts_users() == by_identity) {
        out[route.get()].push_back({&limit, &refused.with({limit.name})});
      }
    }
  }
  return out;
}

bool is_exempt(const http::Request& request, const ServerConfig& config) {
  const std::string_view bearer = bearer_of(request.header("Authorization").value_or(""));
  return bearer.starts_with(kLocalKeyPrefix) && is_local_key(request, bearer, config);
}

void add_stage(Chain& chain, Stage stage, bool by_identity) {
  chain.add(stage,
            [limits = limits_of(chain, by_identity),
             &limiter = *chain.config.limiter,
             &config = chain.config,
             &clock = chain.clock](http::Exchange exchange, const Next& next) {
              const auto found = limits.find(exchange.state()->route);
              if (found == limits.end() || is_exempt(exchange.request(), config)) {
                next(std::move(exchange));
                return;
              }
              judge(std::move(exchange), next, found->second, limiter, clock.now());
            });
}

}  // namespace

void rate_limit(Chain& chain) {
  if (chain.config.limiter == nullptr) {
    return;
  }
  add_stage(chain, Stage::ClientLimit, false);
  add_stage(chain, Stage::Limits, true);
  chain.on_answer(Stage::ClientLimit,
                  [](http::Request& request, const http::Route* route, http::Response& response) {
                    const http::QuotaState& quota = request.parts().quota;
                    if (!quota.is_limited) {
                      return;
                    }
                    response.append_checked(quota.lines);
                    // Released clients of the tracking protocol have read the reset as seconds left
                    // or as milliseconds.
                    if (route != nullptr && route->options.surface == http::Surface::Tracking) {
                      return;
                    }
                    response.set("X-RateLimit-Limit", std::to_string(quota.limit))
                        .set("X-RateLimit-Remaining", std::to_string(quota.remaining))
                        .set("X-RateLimit-Reset", std::to_string(quota.reset_at));
                  });
}

}  // namespace edge::middleware
