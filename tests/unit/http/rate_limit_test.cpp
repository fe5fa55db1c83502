// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "core/ratelimit/limiter.h"
#include "daemon/quota_fields.h"
#include "tests/support/memory_store.h"
#include "tests/unit/http/fixture.h"

namespace edge {
namespace {

using test::Answer;
using test::TestServer;

/// Knows two users by the words `ada` and `bob`.
class Names final : public http::Authenticator {
 public:
  Result<http::Principal> authenticate(const http::Credentials& credentials) override {
    if (credentials.bearer != "ada" && credentials.bearer != "bob") {
      return Failure({ErrorCode::Unauthenticated, "who", {}, "invalid_token"});
    }
    return http::Principal{.id = std::string(credentials.bearer), .permissions = {"*"}};
  }
};

/// A server with limits as they stand in edge.toml, for clients behind a trusted proxy.
struct Limited {
  explicit Limited(const std::vector<std::string>& tables)
      : store(server.clock), limiter(store, server.clock, random) {
    std::vector<config::Item> items;
    for (const std::string& table : tables) {
      items.push_back({table, "edge.toml:1"});
    }
    limiter.configure(ratelimit::read_limits(items).value());
    server.config.limiter = &limiter;
    server.config.authenticator = &names;
    server.config.local_key = "edl_right";
    server.config.trusted_proxies = {http::Network::parse("127.0.0.1").value()};
    const http::SyncHandler ok = [](const http::Request&) -> Result<http::Response> {
      return http::text("ok");
    };
    server.route(http::Method::Get, "/api/thing/:id", {.needs = http::Public}, ok);
    server.route(http::Method::Get, "/api/mine", {.needs = http::AnyIdentity}, ok);
    server.route(http::Method::Get, "/cdp/thing", {.needs = http::Public}, ok);
    server.route(http::Method::Get,
                 "/api/image",
                 {.needs = http::Public, .answers_over_limit = true},
                 [this](const http::Request& request) -> Result<http::Response> {
                   over_limit += request.is_over_limit() ? 1 : 0;
                   return http::text("ok");
                 });
    server.route(http::Method::Get, "/health/live", {.needs = http::Public}, ok);
    server.start();
  }

  Answer get(const std::string& path, const std::string& fields = {}) {
    return server.ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  }
  Answer get_from(const std::string& client, const std::string& path = "/api/thing/1") {
    return get(path, "X-Forwarded-For: " + client + "\r\n");
  }

  TestServer server;
  Names names;
  SystemRandom random;
  test::MemoryStore store;
  ratelimit::Limiter limiter;
  std::atomic<int> over_limit = 0;  ///< requests of `/api/image` that a limit refused
};

}  // namespace

TEST_CASE("answers tell what is left of the limit, a refusal when to come back", "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":2,"period":60,"routes":["/api/*"]})"});

  const Answer first = limited.get_from("203.0.113.7");
  const Answer second = limited.get_from("203.0.113.7", "/api/thing/2");
  const Answer third = limited.get_from("203.0.113.7", "/api/%74hing/3");
  const Answer other = limited.get_from("203.0.113.8");
  const Answer elsewhere = limited.get_from("203.0.113.7", "/cdp/thing");

  CHECK(first.status == 200);
  CHECK(first.field("RateLimit-Policy") == R"("api";q=2;w=60)");
  CHECK(first.field("RateLimit") == R"("api";r=1;t=30)");
  CHECK(first.field("X-RateLimit-Limit") == "2");
  CHECK(first.field("X-RateLimit-Remaining") == "1");
  CHECK(first.field("X-RateLimit-Reset") == "1700000030");
  CHECK(second.field("X-RateLimit-Remaining") == "0");
  CHECK(third.status == 429);
  CHECK(third.field("Retry-After") == "30");
  CHECK(third.field("RateLimit") == R"("api";r=0;t=60)");
  CHECK(third.field("Content-Type") == "application/problem+json");
  CHECK(third.body.find(R"("error":"Rate limit exceeded")") != std::string::npos);
  CHECK(third.body.find(R"("code":"rate_limited")") != std::string::npos);
  CHECK(third.body.find(R"("violated-policies":["api"])") != std::string::npos);
  CHECK(third.body.find(
            R"("type":"https://iana.org/assignments/http-problem-types#quota-exceeded")") !=
        std::string::npos);
  CHECK(other.status == 200);
  CHECK(elsewhere.field("RateLimit").empty());
  limited.server.clock.advance(std::chrono::seconds(30));
  CHECK(limited.get_from("203.0.113.7").status == 200);
}

TEST_CASE("a route that always answers gives no sign of a limit, and is told of it",
          "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":1,"period":60,"routes":["/api/*"]})",
                   R"({"name":"more","limit":9,"period":60,"routes":["/api/image"]})"});

  const Answer first = limited.get_from("203.0.113.7", "/api/image");
  const int over_before = limited.over_limit;
  const Answer second = limited.get_from("203.0.113.7", "/api/image");
  const Answer other = limited.get_from("203.0.113.8", "/api/image");

  CHECK(over_before == 0);
  CHECK(limited.over_limit == 1);
  CHECK(second.status == 200);
  CHECK(second.body == first.body);
  for (const Answer* answer : {&first, &second, &other}) {
    CHECK(answer->field("RateLimit").empty());
    CHECK(answer->field("RateLimit-Policy").empty());
    CHECK(answer->field("X-RateLimit-Remaining").empty());
    CHECK(answer->field("Retry-After").empty());
  }
  CHECK(limited.get_from("203.0.113.7").status == 429);
}

TEST_CASE("clients of one IPv6 network count together", "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":1,"routes":["/api/*"]})"});

  CHECK(limited.get_from("2001:db8:1:2::1").status == 200);
  CHECK(limited.get_from("2001:db8:1:2:ffff::9").status == 429);
  CHECK(limited.get_from("2001:db8:1:3::1").status == 200);
  CHECK(address_key("2001:db8:1:2:3::4") == "2001:db8:1:2::/64");
  CHECK(address_key("::ffff:10.0.0.1") == "10.0.0.1");
}

TEST_CASE("the local key is not counted, a wrong one is", "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":1,"routes":["/api/*"]})"});
  const std::string right = "Authorization: Bearer edl_right\r\n";
  const std::string wrong = "Authorization: Bearer edl_wrong\r\n";

  for (int i = 0; i < 3; ++i) {
    CHECK(limited.get("/api/mine", right).status == 200);
  }
  CHECK(limited.get("/api/mine", wrong).status == 401);
  CHECK(limited.get("/api/mine", wrong).status == 429);
  CHECK(limited.get("/api/mine", right).status == 200);
}

TEST_CASE("a limit by user counts identities, and strangers by their address", "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":0})",
                   R"({"name":"each","limit":1,"key":"user","routes":["/api/*"]})"});
  const std::string ada = "Authorization: Bearer ada\r\n";
  const std::string bob = "Authorization: Bearer bob\r\n";

  CHECK(limited.get("/api/mine", ada).status == 200);
  CHECK(limited.get("/api/mine", ada).status == 429);
  CHECK(limited.get("/api/mine", bob).status == 200);
  CHECK(limited.get("/api/mine").status == 401);
  CHECK(limited.get_from("203.0.113.7").status == 200);
  CHECK(limited.get_from("203.0.113.7").status == 429);
}

TEST_CASE("keys may be fields, paths and texts together", "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":0})",
                   R"({"name":"x","limit":1,"key":["header:X-Team","path"],"routes":["/api/*"]})"});

  CHECK(limited.get("/api/thing/1", "X-Team: a\r\n").status == 200);
  CHECK(limited.get("/api/thing/1", "X-Team: a\r\n").status == 429);
  CHECK(limited.get("/api/%74hing/1", "X-Team: a\r\n").status == 429);
  CHECK(limited.get("/api/thing/1", "X-Team: b\r\n").status == 200);
  CHECK(limited.get("/api/thing/2", "X-Team: a\r\n").status == 200);
}

TEST_CASE("of several limits the one that leaves least is told in the older fields",
          "[ratelimit]") {
  Limited limited({R"({"name":"api","limit":9,"routes":["/api/*"]})",
                   R"({"name":"burst","limit":2,"period":1,"routes":["/api/*"]})"});

  const Answer first = limited.get_from("203.0.113.7");
  limited.get_from("203.0.113.7");
  const Answer third = limited.get_from("203.0.113.7");

  CHECK(first.field("RateLimit") == R"("api";r=8;t=7, "burst";r=1;t=1)");
  CHECK(first.field("X-RateLimit-Remaining") == "1");
  CHECK(third.status == 429);
  CHECK(third.body.find(R"("violated-policies":["burst"])") != std::string::npos);
  CHECK(third.field("X-RateLimit-Limit") == "2");
}

TEST_CASE("[threat-22] a made-up X-Forwarded-For does not dodge a limit",
          "[ratelimit][threat-22]") {
  Limited limited({R"({"name":"api","limit":1,"routes":["/api/*"]})"});
  limited.server.config.trusted_proxies.clear();

  CHECK(limited.get_from("203.0.113.7").status == 200);
  CHECK(limited.get_from("203.0.113.8").status == 429);
}

TEST_CASE("[threat-22] a field that the client made up stands before the proxy's own",
          "[ratelimit][threat-22]") {
  Limited limited({R"({"name":"api","limit":1,"routes":["/api/*"]})"});
  const auto ask = [&](const std::string& made_up) {
    return limited.get("/api/thing/1",
                       "X-Forwarded-For: " + made_up + "\r\nX-Forwarded-For: 203.0.113.7\r\n");
  };

  CHECK(ask("198.51.100.1").status == 200);
  CHECK(ask("198.51.100.2").status == 429);
}

TEST_CASE("health is never limited", "[ratelimit]") {
  Limited limited({R"({"name":"all","limit":1,"routes":["/*"]})"});

  for (int i = 0; i < 3; ++i) {
    CHECK(limited.get("/health/live").status == 200);
  }
}

}  // namespace edge
