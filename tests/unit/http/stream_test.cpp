// SPDX-License-Identifier: MIT
// Answers whose body has no end yet, requests inside requests, and routes known by their ending.
#include "daemon/http/stream.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>

#include "daemon/http/inner_request.h"
#include "tests/unit/http/fixture.h"

using namespace edge;
using test::RawClient;
using test::TestServer;

namespace {

constexpr std::string_view kAsk = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A server with one route that streams, and the stream it gave last.
class Streaming {
 public:
  explicit Streaming(http::Stream::Options options = {}) {
    stream = std::make_shared<http::Stream>(std::move(options));
    server.route(http::Method::Get,
                 "/stream",
                 {.needs = http::Public},
                 http::SyncHandler([this](const http::Request&) -> Result<http::Response> {
                   http::Response response;
                   response.type("text/event-stream").stream(stream);
                   return response;
                 }));
    server.add_sample_routes();
    server.start();
  }
  std::shared_ptr<http::Stream> stream;
  TestServer server;
};

/// Reads until `text` has come; false when it does not in time.
bool wait_for(RawClient& client, std::string_view text) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (client.received().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    client.read_to_end(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace

TEST_CASE("pieces of a stream reach the client as they are written, then the next request works",
          "[http][stream]") {
  Streaming test;
  RawClient client(test.server.endpoint());
  test.stream->write("early\n");

  client.send(kAsk);
  REQUIRE(wait_for(client, "6\r\nearly\n\r\n"));
  std::jthread([&] { CHECK(test.stream->write("later, from elsewhere\n")); }).join();
  REQUIRE(wait_for(client, "16\r\nlater, from elsewhere\n\r\n"));
  test.stream->end();
  REQUIRE(wait_for(client, "0\r\n\r\n"));
  client.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

  CHECK(client.read_to_end());
  CHECK(client.received().find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(client.received().find("Content-Length") > client.received().find("0\r\n\r\n"));
  CHECK(client.received().ends_with(R"({"status":"ok"})"));
  CHECK_FALSE(test.stream->is_open());
}

TEST_CASE("a client of HTTP/1.0 gets the stream without chunks", "[http][stream]") {
  Streaming test;
  RawClient client(test.server.endpoint());

  client.send("GET /stream HTTP/1.0\r\n\r\n");
  test.stream->write("one\n");
  test.stream->write("two\n");
  test.stream->end();

  REQUIRE(client.read_to_end());
  CHECK(client.received().ends_with("\r\n\r\none\ntwo\n"));
  CHECK(client.received().find("chunked") == std::string::npos);
}

TEST_CASE("HEAD of a stream has no body", "[http][stream]") {
  Streaming test;
  RawClient client(test.server.endpoint());
  test.stream->write("secret\n");

  client.send("HEAD /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

  REQUIRE(client.read_to_end());
  CHECK(client.received().ends_with("\r\n\r\n"));
  CHECK(client.received().find("secret") == std::string::npos);
}

TEST_CASE("an idle stream is kept alive and outlives the time limit for answers",
          "[http][stream]") {
  Streaming test({.idle_piece = ": ping\n\n", .idle_after = std::chrono::seconds(15)});
  RawClient client(test.server.endpoint());
  client.send(kAsk);
  REQUIRE(wait_for(client, "\r\n\r\n"));
  CHECK(client.received().find("ping") == std::string::npos);

  test.server.clock.advance(std::chrono::seconds(16));
  REQUIRE(wait_for(client, "8\r\n: ping\n\n\r\n"));
  test.server.clock.advance(std::chrono::hours(1));
  REQUIRE(wait_for(client, "8\r\n: ping\n\n\r\n8\r\n: ping\n\n\r\n"));

  CHECK(test.stream->is_open());
}

TEST_CASE("a reader that leaves too much unread is dropped", "[http][stream]") {
  Streaming test({.max_waiting = 1000});
  RawClient client(test.server.endpoint());
  client.send(kAsk);
  REQUIRE(wait_for(client, "\r\n\r\n"));
  const std::string piece(16384, 'x');

  int written = 0;
  while (written < 100'000 && test.stream->write(piece)) {
    ++written;
  }

  CHECK(written >= 1000);
  CHECK(written < 100'000);
  CHECK_FALSE(test.stream->is_open());
  CHECK(client.read_to_end());
}

TEST_CASE("a stream learns that its client is gone", "[http][stream]") {
  Streaming test;
  {
    RawClient client(test.server.endpoint());
    client.send(kAsk);
    REQUIRE(wait_for(client, "\r\n\r\n"));
  }

  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (test.stream->write("x") && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }

  CHECK_FALSE(test.stream->is_open());
}

TEST_CASE("a stopping server ends its streams", "[http][stream]") {
  Streaming test;
  RawClient client(test.server.endpoint());
  client.send(kAsk);
  REQUIRE(wait_for(client, "\r\n\r\n"));

  test.server.server().stop(std::chrono::seconds(10));

  CHECK(client.read_to_end());
  CHECK(client.received().ends_with("0\r\n\r\n"));
}

TEST_CASE("a request inside a request passes all stages with its own fields", "[http][inner]") {
  TestServer server;
  SystemRandom random;
  server.config.local_key = "edl_test";
  server.add_sample_routes();
  server.route(
      http::Method::Post,
      "/outer",
      {.needs = http::Public},
      http::AsyncHandler([&random](const http::Exchange& exchange) {
        http::InnerRequest inner{.target = std::string(exchange.request().body())};
        if (const auto key = exchange.request().query_value("key")) {
          inner.fields.emplace_back("Authorization", "Bearer " + *key);
        }
        const auto sent = http::send_inner(
            exchange, std::move(inner), random, [exchange](const http::InnerAnswer& answer) {
              exchange.complete(
                  http::json(std::to_string(answer.status) + " " + std::string(answer.body)));
            });
        if (!sent) {
          exchange.fail(sent.error());
        }
      }));
  server.start();
  const auto ask = [&](const std::string& query, const std::string& target) {
    return server
        .ask("POST /outer" + query +
             " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
             std::to_string(target.size()) + "\r\nAuthorization: Bearer edl_test\r\n\r\n" + target)
        .body;
  };

  CHECK(ask("", "/health/live") == R"(200 {"status":"ok"})");
  CHECK(ask("", "/auth/me").starts_with("401 {\"type\":\"urn:edge:problem:unauthenticated\""));
  CHECK(ask("?key=edl_test", "/auth/me") == R"(200 {"status":"ok"})");
  CHECK(ask("", "/nowhere").starts_with("404 "));
  CHECK(ask("?key=a%0D%0AX-Y:z", "/health/live").find("cannot be sent") != std::string::npos);
  CHECK(ask("", "no path").find("bad_request") != std::string::npos);
}

TEST_CASE("a route by its ending takes what no other route has", "[http][router]") {
  TestServer server;
  const http::SyncHandler ending = [](const http::Request&) -> Result<http::Response> {
    return http::json(R"("ending")");
  };
  server.add_sample_routes();
  server.route(http::Method::Get, "/**/live", {.needs = http::Public}, ending);
  server.start();
  const auto get = [&](const std::string& method, const std::string& path) {
    return server.ask(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  };

  CHECK(get("GET", "/some/where/live").body == R"("ending")");
  CHECK(get("GET", "/LIVE").body == R"("ending")");
  CHECK(get("GET", "/health/live").body == R"({"status":"ok"})");
  CHECK(get("POST", "/some/live").status == 405);
  CHECK(get("GET", "/some/alive").status == 404);
  CHECK(get("GET", "/some/live/more").status == 404);
}
