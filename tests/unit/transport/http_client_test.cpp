// SPDX-License-Identifier: MIT
#include "core/transport/poco/http_client.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/receiver.h"

namespace edge::transport {
namespace {

using test::Reaction;
using test::Received;
using test::Receiver;

GuardRules loopback_rules() {
  GuardRules rules;
  rules.add_loopback();
  return rules;
}

struct Bench {
  SystemClock clock;
  PocoHttpClient client{loopback_rules(), clock};
};

OutgoingRequest post(std::string url, std::string body = "{}") {
  return {.method = "POST",
          .url = std::move(url),
          .headers = {{"content-type", "application/json"}},
          .body = std::move(body)};
}

TEST_CASE("a request arrives as it was given and its answer comes back", "[transport]") {
  Receiver receiver([](const Received&) {
    return Reaction{.status = 201, .body = "made", .fields = "X-Id: 7\r\n"};
  });
  Bench bench;

  const auto response = bench.client.send(post(receiver.url("/in?key=1"), "{\"a\":1}"));

  REQUIRE(response);
  CHECK(response->status == 201);
  CHECK(response->body == "made");
  CHECK(response->header("x-id") == "7");
  const auto requests = receiver.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].method == "POST");
  CHECK(requests[0].path == "/in?key=1");
  CHECK(requests[0].header("host") == "127.0.0.1:" + std::to_string(receiver.port()));
  CHECK(requests[0].body == "{\"a\":1}");
}

TEST_CASE("connections are kept and used again", "[transport]") {
  Receiver receiver;
  Bench bench;

  for (int i = 0; i < 3; ++i) {
    REQUIRE(bench.client.send(post(receiver.url())));
  }

  for (const Received& request : receiver.requests()) {
    CHECK(request.connection == 1);
  }
}

TEST_CASE("a redirect is handed back and not followed", "[transport]") {
  Receiver receiver(
      [](const Received&) { return Reaction::fail(302, "Location: http://127.0.0.1:1/\r\n"); });
  Bench bench;

  const auto response = bench.client.send(post(receiver.url()));

  REQUIRE(response);
  CHECK(response->status == 302);
  CHECK(receiver.count() == 1);
}

TEST_CASE("a server that hangs or drips is given up at the deadline", "[transport]") {
  Receiver hanging([](const Received&) { return Reaction::hang(); });
  Bench bench;
  OutgoingRequest request = post(hanging.url());
  request.timeout = std::chrono::milliseconds{50};

  const auto response = bench.client.send(request);

  REQUIRE_FALSE(response);
  CHECK(response.error().code == ErrorCode::DeadlineExceeded);
  CHECK(response.error().reason == "timeout");
}

TEST_CASE("requests end soon when the program does", "[transport]") {
  Receiver hanging([](const Received&) { return Reaction::hang(); });
  Bench bench;
  OutgoingRequest request = post(hanging.url());
  request.timeout = std::chrono::minutes(10);
  std::jthread ending([&] {
    REQUIRE(hanging.wait_for(1));
    bench.client.cut_off();
  });

  CHECK(bench.client.send(request).error().reason == "timeout");
}

TEST_CASE("a cut connection is told apart from one that never was", "[transport]") {
  Receiver cutting([](const Received&) { return Reaction::cut(); });
  Receiver halving([](const Received&) { return Reaction{.kind = Reaction::Kind::CutInBody}; });
  Bench bench;
  std::string closed_url;
  {
    const Receiver gone;
    closed_url = gone.url();
  }

  CHECK(bench.client.send(post(cutting.url())).error().reason == "connection_lost");
  CHECK(bench.client.send(post(halving.url())).error().reason == "connection_lost");
  CHECK(bench.client.send(post(closed_url)).error().reason == "connect_failed");
}

TEST_CASE("a server that speaks no HTTP or no TLS is reported as such", "[transport]") {
  Receiver odd([](const Received&) {
    return Reaction{.kind = Reaction::Kind::Raw, .fields = "SMTP ready\r\n\r\n"};
  });
  Bench bench;
  OutgoingRequest secure = post("https://127.0.0.1:" + std::to_string(odd.port()) + "/");
  secure.connect_timeout = std::chrono::milliseconds{200};

  CHECK(bench.client.send(post(odd.url())).error().reason == "bad_response");
  CHECK(bench.client.send(secure).error().reason == "tls_failed");
}

TEST_CASE("a name that resolves to a private address is refused before connecting", "[transport]") {
  Receiver receiver;
  const SystemClock clock;
  PocoHttpClient client({.allow_http = true}, clock, [](const std::string&) {
    return std::vector<IpAddress>{*parse_ip("93.184.216.34"), *parse_ip("127.0.0.1")};
  });
  const std::string url = "http://rebind.example:" + std::to_string(receiver.port()) + "/";

  CHECK(client.send(post(url)).error().reason == "egress_denied");
  CHECK(receiver.count() == 0);
}

TEST_CASE("a name without an address and a resolver that sleeps fail as look-ups", "[transport]") {
  const SystemClock clock;
  PocoHttpClient none(
      loopback_rules(), clock, [](const std::string&) { return std::vector<IpAddress>{}; });

  CHECK(none.send(post("http://nowhere.example/")).error().reason == "dns_failed");
}

TEST_CASE("the connection goes to the checked address with the name in Host", "[transport]") {
  Receiver receiver;
  const SystemClock clock;
  PocoHttpClient client(loopback_rules(), clock, [](const std::string&) {
    return std::vector<IpAddress>{*parse_ip("127.0.0.1")};
  });
  const std::string port = std::to_string(receiver.port());

  REQUIRE(client.send(post("http://hooks.example:" + port + "/")));
  CHECK(receiver.requests()[0].header("host") == "hooks.example:" + port);
}

TEST_CASE("header fields that would break the request are refused", "[transport]") {
  Receiver receiver;
  Bench bench;
  for (const auto& [name, value] :
       Headers{{"x", "a\r\nb: c"}, {"x y", "1"}, {"Host", "other"}, {"Content-Length", "0"}}) {
    OutgoingRequest request = post(receiver.url());
    request.headers = {{name, value}};

    CHECK(bench.client.send(request).error().code == ErrorCode::InvalidArgument);
  }
  CHECK(receiver.count() == 0);
}

}  // namespace
}  // namespace edge::transport
