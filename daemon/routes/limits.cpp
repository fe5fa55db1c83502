// SPDX-License-Identifier: MIT
// /api/ratelimit: programs that ask before they do something, and a look at what was counted
// (platform spec 7).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/ratelimit/report.h"
#include "daemon/quota_fields.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr std::uint64_t kMostCost = 1'000'000'000;
constexpr std::size_t kLongestKey = 2048;

Error wrong(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

struct Asked {
  std::string key = {};
  std::uint64_t cost = 1;
};

Result<Asked> read(std::string_view body) {
  const auto document = json::Document::parse(body, json::kApi);
  if (!document) {
    return Failure(document.error());
  }
  const json::Value root = document->root();
  const auto key = root.find("key");
  Asked asked{.key = std::string(key ? key->as_string().value_or("") : "")};
  if (asked.key.empty() || asked.key.size() > kLongestKey) {
    return Failure(wrong("key must be a text of 1 to 2048 octets", "/key"));
  }
  if (const auto cost = root.find("cost")) {
    asked.cost = cost->as_uint64().value_or(0);
    if (asked.cost == 0 || asked.cost > kMostCost) {
      return Failure(wrong("cost must be a whole number from 1 to 1000000000", "/cost"));
    }
  }
  return asked;
}

/// Always 200: the answer says whether it is allowed.
Result<http::Response> ask(Edge& edge, const http::Request& request) {
  const auto limit = edge.limits.find(request.param("name"));
  const auto asked = limit ? read(request.body()) : Result<Asked>(Failure(limit.error()));
  if (!asked) {
    return Failure(asked.error());
  }
  const ratelimit::Verdict verdict = edge.limits.check(**limit, asked->key, asked->cost);
  json::Writer out;
  out.begin_object()
      .member("success", verdict.allowed)
      .member("remaining", verdict.remaining)
      .member("reset", reset_at(verdict, edge.clock.now()))
      .end_object();
  http::Response response = http::json(out);
  response.set("RateLimit-Policy", policy_text(**limit))
      .set("RateLimit", left_text(**limit, verdict));
  if (verdict.retry_after_s) {
    response.set("Retry-After", std::to_string(*verdict.retry_after_s));
  }
  return response;
}

http::Response list(Edge& edge) {
  json::Writer out;
  out.begin_object().key("limits").begin_array();
  for (const ratelimit::Limit& limit : edge.limits.limits()) {
    ratelimit::write_limit(out, limit);
  }
  out.end_array().member("keys", std::uint64_t{edge.limits.size()}).end_object();
  return http::json(out);
}

Result<http::Response> show(Edge& edge, const http::Request& request) {
  return edge.limits.find(request.param("name")).map([&](const ratelimit::Limit* limit) {
    const std::string key = ratelimit::key_text(*limit, request.param("key"));
    json::Writer out;
    ratelimit::write_count(out, *limit, key, edge.limits.check(*limit, key, 0));
    return http::json(out);
  });
}

Result<http::Response> reset(Edge& edge, const http::Request& request) {
  return edge.limits.find(request.param("name")).map([&](const ratelimit::Limit* limit) {
    edge.limits.reset(*limit, ratelimit::key_text(*limit, request.param("key")));
    return http::no_content();
  });
}

}  // namespace

void limits(Mount& mount) {
  Edge& edge = mount.edge;
  edge.metrics.observed("edge_limit_keys", "Keys that limits remember", [&edge] {
    return static_cast<std::int64_t>(edge.limits.size());
  });
  mount.get("/api/ratelimit", {.needs = "limits:read"}, [&edge](const http::Request&) {
    return list(edge);
  });
  mount.post("/api/ratelimit/:name",
             {.needs = AnyIdentity, .max_body = std::size_t{16} << 10U},
             [&edge](const http::Request& request) { return ask(edge, request); });
  mount.get("/api/ratelimit/:name/:key",
            {.needs = "limits:read"},
            [&edge](const http::Request& request) { return show(edge, request); });
  mount.del("/api/ratelimit/:name/:key",
            {.needs = "limits:write"},
            [&edge](const http::Request& request) { return reset(edge, request); });
}

}  // namespace edge::routes
