// SPDX-License-Identifier: MIT
// Requests that are meant to do harm (identity spec 7), each on a connection of its own.
#include <zlib.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/http/admission.h"
#include "tests/unit/http/fixture.h"

namespace edge {
namespace {

using test::Answer;
using test::RawClient;
using test::TestServer;

const std::string kHost = "Host: localhost\r\n";

/// `octets` packed as gzip.
std::string pack(std::string_view octets) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, octets.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string login(const std::string& fields, const std::string& body) {
  return "POST /auth/login HTTP/1.1\r\n" + kHost + "Content-Type: application/json\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string many_fields(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += "X-" + std::to_string(i) + ": y\r\n";
  }
  return out;
}

}  // namespace

TEST_CASE("[threat-28] origins that only look like an allowed one get no allow fields",
          "[http][threat-28]") {
  TestServer server({.cors = {{.origins = {"https://app.example.com", "https://*.shop.example"},
                               .credentials = true}}});
  server.add_sample_routes();
  server.start();
  const auto [origin, allowed] = GENERATE(table<std::string, bool>({
      {"https://app.example.com", true},
      {"https://eu.shop.example", true},
      {"https://evil.example", false},
      {"null", false},
      {"https://app.example.com.evil.example", false},
      {"https://APP.example.com", false},
      {"http://app.example.com", false},
      {"https://app.example.com:8443", false},
      {"https://a.b.shop.example", false},
      {"https://evilshop.example", false},
      {"https://evil/.shop.example", false},
  }));

  const Answer answer =
      server.ask("GET /auth/me HTTP/1.1\r\n" + kHost + "Origin: " + origin + "\r\n\r\n");

  INFO(origin);
  CHECK(answer.field("Access-Control-Allow-Origin") == (allowed ? origin : ""));
  CHECK(answer.field("Access-Control-Allow-Credentials") == (allowed ? "true" : ""));
  CHECK(answer.field("Vary").find("Origin") != std::string::npos);
}

TEST_CASE("a CORS rule for named routes holds for these, public ones included", "[http]") {
  TestServer server({.cors = {{.routes = {"/track/*"}, .origins = {"https://a.example"}}}});
  server.add_sample_routes();
  server.start();
  const auto allowed = [&](const std::string& method, const std::string& path) {
    return server
        .ask(method + " " + path + " HTTP/1.1\r\n" + kHost + "Origin: https://b.example\r\n\r\n")
        .field("Access-Control-Allow-Origin");
  };

  CHECK(allowed("POST", "/track/event").empty());
  CHECK(allowed("GET", "/pixel/track/x") == "*");
  CHECK(allowed("GET", "/auth/me").empty());
}

TEST_CASE("[threat-29] a name that leads here by DNS rebinding is not served",
          "[http][threat-29]") {
  TestServer server({.allowed_hosts = {"edge.example"}, .local_key = "edl_right"});
  server.add_sample_routes();
  server.start();

  const Answer answer = server.ask(
      "GET /auth/me HTTP/1.1\r\nHost: rebound.evil.example\r\nAuthorization: Bearer "
      "edl_right\r\n\r\n");

  CHECK(answer.status == 421);
  CHECK(answer.body.find("\"code\":\"misdirected_request\"") != std::string::npos);
}

TEST_CASE("[threat-30] a second request hidden in the first is never executed",
          "[http][threat-30]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  const std::string hidden = "GET /health/live HTTP/1.1\r\n" + kHost + "\r\n";
  const auto framing = GENERATE(as<std::string>{},
                                "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                                "Transfer-Encoding: xchunked\r\n",
                                "Transfer-Encoding : chunked\r\n",
                                "Content-Length: 0\r\nContent-Length: 4\r\n",
                                "Content-Length: +0\r\n",
                                "X: y\r\n Content-Length: 0\r\n",
                                "X: =?utf-8?q?a=0D=0AContent-Length: 0?=\n");
  RawClient client(server.endpoint());

  client.send("POST /track/event HTTP/1.1\r\n" + kHost + framing + "\r\n0\r\n\r\n" + hidden);

  INFO(framing);
  CHECK(client.read_to_end());
  REQUIRE(client.answers().size() == 1);
  const int status = client.answers().front().status;
  CHECK((status == 400 || status == 501));
}

TEST_CASE("[threat-31] echoed ids and origins cannot split an answer", "[http][threat-31]") {
  TestServer server({.cors = {{.origins = {"https://a.example"}, .credentials = true}}});
  server.add_sample_routes();
  server.start();
  const auto value = GENERATE(as<std::string>{},
                              "a%0d%0aSet-Cookie:%20x=1",
                              "=?utf-8?q?a=0D=0ASet-Cookie:_x=3D1?=",
                              "a\tSet-Cookie",
                              "a\xc4\x8d\xc4\x8aSet-Cookie: x=1");

  const Answer answer = server.ask("GET /auth/me HTTP/1.1\r\n" + kHost + "X-Request-Id: " + value +
                                   "\r\nOrigin: " + value + "\r\n\r\n");

  INFO(value);
  CHECK(answer.status == 401);
  CHECK(answer.head.find("Set-Cookie") == std::string::npos);
  CHECK(answer.field("X-Request-Id").size() == 36);
}

TEST_CASE("[threat-33] heads, targets, bodies and chunks that are too large are refused",
          "[http][threat-33]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  const std::string get = "GET /health/live HTTP/1.1\r\n" + kHost;
  const std::string chunked = "POST /auth/login HTTP/1.1\r\n" + kHost +
                              "Content-Type: application/json\r\nTransfer-Encoding: "
                              "chunked\r\n\r\n";
  const auto [octets, status] = GENERATE_COPY(table<std::string, int>({
      {"GET /" + std::string(8192, 'x') + " HTTP/1.1\r\n" + kHost + "\r\n", 414},
      {get + "X: " + std::string(16'400, 'y') + "\r\n\r\n", 431},
      {get + many_fields(100) + "\r\n", 431},
      {get + many_fields(10'000) + "\r\n", 431},
      {get + "A: " + std::string(16'000, 'y') + "\r\nB: " + std::string(16'000, 'y') +
           "\r\nC: " + std::string(1'000, 'y') + "\r\n\r\n",
       431},
      {login("", std::string(16'385, ' ')), 413},
      {chunked + "4001\r\n", 413},
      {chunked + "FFFFFFFFFFFFFFFF\r\n", 413},
      {chunked + "00000000000000001\r\n", 400},
  }));
  RawClient client(server.endpoint());

  client.send(octets);

  INFO(octets.substr(0, 60));
  CHECK(client.next().status == status);
  CHECK(client.read_to_end());
}

TEST_CASE("[threat-34] a body that unfolds beyond reason is refused", "[http][threat-34]") {
  TestServer server;
  server.add_sample_routes();
  server.start();
  const std::string large = R"({"a":")" + std::string(60'000, 'x') + "\"}";        // 4 x the limit
  const std::string bomb = std::string(std::size_t{10} << 20U, ' ');               // 1000 : 1
  const std::string many_times = R"({"a":")" + std::string(200'000, 'x') + "\"}";  // 12 x

  const Answer fits = server.ask(login("Content-Encoding: gzip\r\n", pack(large)));
  const Answer exploded = server.ask(login("Content-Encoding: gzip\r\n", pack(bomb)));
  const Answer too_many = server.ask(login("Content-Encoding: gzip\r\n", pack(many_times)));
  const Answer broken = server.ask(login("Content-Encoding: gzip\r\n", "\x1f\x8b nonsense"));
  const Answer twice = server.ask(login("Content-Encoding: gzip, gzip\r\n", pack(pack("{}"))));

  CHECK(fits.status == 200);
  CHECK(exploded.status == 413);
  CHECK(too_many.status == 413);
  CHECK(broken.status == 400);
  CHECK(twice.status == 415);
}

TEST_CASE("[threat-32] a full pool queue is answered 503 at once", "[http][threat-32]") {
  TestServer server({.limits = {.pool_queue = 1}});
  std::atomic<bool> open{false};
  std::atomic<int> running{0};
  server.route(http::Method::Get,
               "/slow",
               {.needs = http::Public, .runs = http::Runs::OnPool},
               http::SyncHandler([&](const http::Request&) -> Result<http::Response> {
                 running = 1;
                 running.notify_all();
                 open.wait(false);
                 return http::text("done");
               }));
  server.start();
  const std::string slow = "GET /slow HTTP/1.1\r\n" + kHost + "\r\n";
  RawClient first(server.endpoint());
  first.send(slow);
  running.wait(0);
  RawClient second(server.endpoint());
  second.send(slow);
  while (server.waiting_jobs() == 0) {
    std::this_thread::yield();
  }

  const Answer third = server.ask(slow);
  open = true;
  open.notify_all();

  CHECK(third.status == 503);
  CHECK(third.field("Retry-After") == "1");
  CHECK(first.next().status == 200);
  CHECK(second.next().status == 200);
}

TEST_CASE("connections are counted by address, IPv6 by network; proxies are exempt", "[http]") {
  const auto at = [](const char* text) { return *http::Address::parse(text); };
  http::Admission admission(2, {http::Network::parse("10.0.0.0/8").value()});

  CHECK(admission.enter(at("2001:db8::1")));
  CHECK(admission.enter(at("2001:db8::2")));
  CHECK_FALSE(admission.enter(at("2001:db8::3")));
  CHECK(admission.enter(at("2001:db8:0:1::3")));
  admission.leave(at("2001:db8::1"));
  CHECK(admission.enter(at("2001:db8::3")));
  for (int i = 0; i < 5; ++i) {
    CHECK(admission.enter(at("10.1.2.3")));
    CHECK(admission.enter(at("127.0.0.1")));
  }
}

}  // namespace edge
