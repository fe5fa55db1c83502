// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/http/fixture.h"

namespace edge {
namespace {

using test::Answer;
using test::RawClient;
using test::TestServer;

constexpr std::string_view kLive = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string post(std::string_view path, std::string_view fields, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

/// Takes every credential that begins with `good`.
class TestAuthenticator final : public http::Authenticator {
 public:
  Result<http::Principal> authenticate(const http::Credentials& credentials) override {
    if (!credentials.bearer.starts_with("good") && !credentials.api_key.starts_with("good")) {
      return Failure({.code = ErrorCode::Unauthenticated,
                      .message = "bad token",
                      .reason = "signature_invalid"});
    }
    return http::Principal{.id = "u1", .roles = {"viewer"}, .permissions = {"kv:read"}};
  }
};

}  // namespace

TEST_CASE("500 idle keep-alive clients do not delay a new one", "[http]") {
  TestServer server;
  server.add_sample_routes();
  server.start(2);
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(std::make_unique<RawClient>(server.endpoint()));
    idle.back()->send(kLive);
    REQUIRE(idle.back()->next().status == 200);
  }

  const auto begin = std::chrono::steady_clock::now();
  const Answer answer = server.ask(kLive);

  CHECK(answer.status == 200);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
  CHECK(server.server().connections() >= 500);
}

TEST_CASE("a client that drips its head is told 408 and closed", "[http][threat-32]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  RawClient client(server.endpoint());
  client.send("GET /health/live HT");
  REQUIRE(server.ask(kLive).status == 200);  // the loop has seen what came before

  server.clock.advance(std::chrono::seconds(11));

  CHECK(client.next().status == 408);
  CHECK(client.read_to_end());
}

TEST_CASE("a client that sends its body too slowly is told 408 and closed", "[http][threat-32]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  RawClient client(server.endpoint());
  client.send("POST /track/event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nabc");
  REQUIRE(server.ask(kLive).status == 200);

  server.clock.advance(std::chrono::seconds(8));

  CHECK(client.next().status == 408);
  CHECK(client.read_to_end());
}

TEST_CASE("silent and idle clients are closed without an answer", "[http][threat-32]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  RawClient silent(server.endpoint());
  RawClient idle(server.endpoint());
  idle.send(kLive);
  REQUIRE(idle.next().status == 200);

  server.clock.advance(std::chrono::seconds(16));

  CHECK(silent.read_to_end());
  CHECK(silent.received().empty());
  CHECK(idle.read_to_end());
  CHECK(idle.answers().size() == 1);
}

TEST_CASE("a stop lets the running request end and refuses new clients", "[http]") {
  TestServer server;
  std::mutex mutex;
  std::optional<http::Exchange> held;
  std::atomic<bool> arrived{false};
  server.route(http::Method::Get,
               "/slow",
               {.needs = http::Public},
               http::AsyncHandler([&](http::Exchange exchange) {
                 const std::lock_guard lock(mutex);
                 held = std::move(exchange);
                 arrived = true;
                 arrived.notify_all();
               }));
  server.start();
  RawClient client(server.endpoint());
  client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  arrived.wait(false);

  std::jthread stopper([&] { server.server().stop(std::chrono::seconds(10)); });
  while (true) {  // until the listener is gone
    try {
      RawClient late(server.endpoint());
    } catch (const std::runtime_error&) {
      break;
    }
  }
  held->complete(http::json("{}"));
  held.reset();
  const Answer answer = client.next();
  stopper.join();

  CHECK(answer.status == 200);
  CHECK(answer.field("connection") == "close");
  CHECK(client.read_to_end());
}

TEST_CASE("an exchange dropped without an answer is answered 500", "[http]") {
  TestServer server;
  server.route(http::Method::Get,
               "/forgotten",
               {.needs = http::Public},
               http::AsyncHandler([](const http::Exchange&) {}));
  server.start();

  const Answer answer = server.ask("GET /forgotten HTTP/1.1\r\nHost: localhost\r\n\r\n");

  CHECK(answer.status == 500);
  CHECK(answer.body.find("\"code\":\"internal\"") != std::string::npos);
}

TEST_CASE("answers completed by other threads reach their own requests", "[http]") {
  TestServer server;
  server.route(http::Method::Get,
               "/echo/:n",
               {.needs = http::Public},
               http::AsyncHandler([](http::Exchange exchange) {
                 std::thread([exchange] {
                   exchange.complete(http::text(std::string(exchange.request().param("n"))));
                   exchange.complete(http::text("second answer"));
                 }).detach();
               }));
  server.start(2);
  RawClient client(server.endpoint());
  for (int i = 0; i < 40; ++i) {
    client.send("GET /echo/" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  for (int i = 0; i < 40; ++i) {
    CHECK(client.next().body == std::to_string(i));
  }
}

TEST_CASE("a fault in a handler is answered 500 without its text", "[http]") {
  TestServer server;
  const auto runs = GENERATE(http::Runs::OnLoop, http::Runs::OnPool);
  server.route(http::Method::Get,
               "/broken",
               {.needs = http::Public, .runs = runs},
               http::SyncHandler([](const http::Request&) -> Result<http::Response> {
                 throw std::runtime_error("secret table");
               }));
  server.start();

  const Answer answer = server.ask("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");

  CHECK(answer.status == 500);
  CHECK(answer.body.find("secret") == std::string::npos);
}

TEST_CASE("routes ask for what they need", "[http]") {
  TestAuthenticator authenticator;
  TestServer server({.authenticator = &authenticator, .local_key = "edl_right"});
  const http::SyncHandler ok = [](const http::Request& request) -> Result<http::Response> {
    return http::text(request.principal() == nullptr ? "-" : request.principal()->id);
  };
  server.route(http::Method::Get, "/read", {.needs = "kv:read"}, ok);
  server.route(http::Method::Get, "/write", {.needs = "kv:write"}, ok);
  server.route(http::Method::Get, "/open", {.needs = http::Public}, ok);
  server.start();
  const auto [path, fields, status] = GENERATE(table<std::string, std::string, int>({
      {"/read", "", 401},
      {"/read", "Authorization: Bearer bad\r\n", 401},
      {"/read", "Authorization: Basic good\r\n", 401},
      {"/read", "Authorization: Bearer good\r\n", 200},
      {"/read", "X-API-Key: good\r\n", 200},
      {"/read", "Authorization: Bearer good\r\nX-API-Key: good\r\n", 400},
      {"/read", "Authorization: Bearer good\r\nAuthorization: Bearer good\r\n", 400},
      {"/write", "Authorization: Bearer good\r\n", 403},
      {"/write", "Authorization: Bearer edl_right\r\n", 200},
      {"/write", "Authorization: Bearer edl_wrong\r\n", 401},
      {"/write", "Authorization: Bearer edl_right\r\nX-Forwarded-For: 1.2.3.4\r\n", 401},
      {"/open", "Authorization: Bearer bad\r\n", 200},
  }));

  const Answer answer =
      server.ask("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");

  INFO(path << " " << fields);
  CHECK(answer.status == status);
  CHECK(answer.field("www-authenticate").starts_with("Bearer") == (status == 401));
}

TEST_CASE("bodies are judged by size, type and packing", "[http]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  // `printf '{}' | gzip -n` and the same cut short
  const std::string packed("\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0",
                           22);
  const std::string json = "Content-Type: application/json\r\n";
  const auto [fields, body, status] = GENERATE_COPY(table<std::string, std::string, int>({
      {json, "{}", 200},
      {json, "", 400},
      {"", "{}", 415},
      {"Content-Type: text/plain\r\n", "{}", 415},
      {"Content-Type: application/json; charset=latin1\r\n", "{}", 415},
      {"Content-Type: application/problem+json\r\n", "{}", 200},
      {json + "Content-Encoding: gzip\r\n", packed, 200},
      {json + "Content-Encoding: gzip\r\n", packed.substr(0, 15), 400},
      {json + "Content-Encoding: br\r\n", "{}", 415},
      {json, std::string(16385, ' '), 413},
  }));

  const Answer answer = server.ask(post("/auth/login", fields, body));

  INFO(fields << body.substr(0, 10) << answer.body);
  CHECK(answer.status == status);
}

TEST_CASE("100 Continue is sent only when the body is wanted", "[http]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  RawClient wanted(server.endpoint());
  RawClient refused(server.endpoint());

  wanted.send(
      "POST /track/event HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "2\r\n\r\n");
  refused.send(
      "POST /nope HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "2\r\n\r\n");
  const Answer no = refused.next();
  while (wanted.received().find("100 Continue\r\n\r\n") == std::string::npos) {
    REQUIRE(wanted.next(std::chrono::milliseconds(20)).status == 0);
  }
  wanted.send("{}");

  CHECK(wanted.next().status == 200);
  CHECK(no.status == 404);
  CHECK(refused.received().find("100 Continue") == std::string::npos);
}

TEST_CASE("methods that a path does not know are refused with those it knows", "[http]") {
  TestServer server;
  server.add_sample_routes();
  server.start();

  const Answer wrong = server.ask(post("/health/live", "", ""));
  const Answer options = server.ask("OPTIONS /auth/login HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Answer head = [&] {
    RawClient client(server.endpoint());
    client.send("HEAD /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    client.read_to_end();
    Answer answer;
    answer.head = client.received();
    return answer;
  }();

  CHECK(wrong.status == 405);
  CHECK(wrong.field("allow") == "GET, HEAD, OPTIONS");
  CHECK(options.status == 204);
  CHECK(options.field("allow") == "POST, OPTIONS");
  CHECK(head.head.starts_with("HTTP/1.1 200"));
  CHECK(head.head.ends_with("\r\n\r\n"));
  CHECK(head.field("content-length") == "15");
}

TEST_CASE("only known host names are answered, except where foreign ones are normal",
          "[http][threat-29]") {
  TestServer server({.allowed_hosts = {"edge.example"}});
  server.add_sample_routes();
  server.start();
  const auto [path, host, status] = GENERATE(table<std::string, std::string, int>({
      {"/health/live", "localhost", 200},
      {"/health/live", "a.localhost:81", 200},
      {"/health/live", "127.0.0.1", 200},
      {"/health/live", "[::1]:9100", 200},
      {"/health/live", "EDGE.example", 200},
      {"/health/live", "evil.example", 421},
      {"/health/live", "notlocalhost", 421},
      {"/pixel/track/x", "evil.example", 200},
  }));

  const Answer answer = server.ask("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");

  INFO(path << " " << host);
  CHECK(answer.status == status);
}

TEST_CASE("a connection over its limit is turned away when nobody can make room", "[http]") {
  TestServer server({.limits = {.connections = 1}});
  std::vector<http::Exchange> held;
  std::atomic<bool> arrived{false};
  server.route(http::Method::Get,
               "/slow",
               {.needs = http::Public},
               http::AsyncHandler([&](http::Exchange exchange) {
                 held.push_back(std::move(exchange));
                 arrived = true;
                 arrived.notify_all();
               }));
  server.start();
  RawClient busy(server.endpoint());
  busy.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  arrived.wait(false);

  RawClient second(server.endpoint());
  const Answer refused = second.next();
  held.clear();

  CHECK(refused.status == 503);
  CHECK(refused.field("retry-after") == "1");
  CHECK(busy.next().status == 500);
}

TEST_CASE("an idle connection makes room for a new one", "[http]") {
  TestServer server({.limits = {.connections = 1}});
  server.add_sample_routes();
  server.start();
  RawClient idle(server.endpoint());
  idle.send(kLive);
  REQUIRE(idle.next().status == 200);

  RawClient second(server.endpoint());
  second.send(kLive);

  CHECK(second.next().status == 200);
  CHECK(idle.read_to_end());
}

TEST_CASE("large answers reach a slow reader whole", "[http]") {
  TestServer server;
  const std::string large(3 << 20, 'x');
  server.route(http::Method::Get,
               "/large",
               {.needs = http::Public},
               http::SyncHandler([&](const http::Request&) -> Result<http::Response> {
                 return http::text(large);
               }));
  server.start();
  RawClient client(server.endpoint());
  for (int i = 0; i < 4; ++i) {
    client.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  for (int i = 0; i < 4; ++i) {
    CHECK(client.next().body.size() == large.size());
  }
}

}  // namespace edge
