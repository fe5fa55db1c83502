// SPDX-License-Identifier: MIT
// Settings of destinations over HTTP: what was answered is in force, what is shown tells no secret.
#include <catch2/catch.hpp>

#include "tests/support/asking.h"
#include "tests/support/receiver.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;

namespace {

constexpr const char* kOutbound =
    "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n";

std::string hook(const std::string& id, const std::string& url) {
  return R"({"id":")" + id + R"(","name":"Hook","type":"webhook","config":{"url":")" + url + "\"}}";
}

int send(Asking& asking, int number) {
  return asking
      .ask("POST",
           "/v1/track",
           R"({"event":"E","userId":"u","messageId":"m)" + std::to_string(number) + "\"}")
      .status;
}

}  // namespace

TEST_CASE("an event that comes after a change of settings goes by the new ones", "[destinations]") {
  Receiver before;
  Receiver after;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("h", before.url())).status == 200);
  std::size_t sent = 0;

  for (int i = 0; i < 10; ++i) {
    const std::string url = i % 2 == 0 ? after.url() : before.url();
    REQUIRE(
        asking.ask("PATCH", "/cdp/destinations/h", R"({"config":{"url":")" + url + "\"}}").status ==
        200);
    REQUIRE(send(asking, i) == 200);
    sent += 1;
    REQUIRE(asking.wait_for("/cdp/destinations/h", "/delivered", std::to_string(sent)));
    CHECK(after.count() == sent - sent / 2);
    CHECK(before.count() == sent / 2);
  }
  REQUIRE(asking.ask("POST", "/cdp/destinations/h/pause").at("/state") == "paused");
  REQUIRE(send(asking, 10) == 200);
  CHECK(asking.wait_for("/cdp/destinations/h", "/pending", "1"));
  CHECK(asking.ask("POST", "/cdp/destinations/h/resume").at("/state") == "running");
  CHECK(before.wait_for(6));
}

TEST_CASE("credentials in a URL are not shown, and stay when what was shown is sent back",
          "[destinations]") {
  Receiver receiver;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(
      asking.ask("POST", "/cdp/destinations", hook("h", receiver.url("/in?token=abc"))).status ==
      200);

  const auto shown = asking.ask("GET", "/cdp/destinations/h");
  CHECK(shown.body.find("abc") == std::string::npos);
  REQUIRE(asking
              .ask("PUT",
                   "/cdp/destinations/h",
                   R"({"name":"Hook","type":"webhook","config":)" + shown.at("/config") + "}")
              .status == 200);
  CHECK(asking.ask("PATCH", "/cdp/destinations/h", R"({"id":"other"})").status == 400);
  REQUIRE(send(asking, 0) == 200);

  REQUIRE(receiver.wait_for(1));
  CHECK(receiver.requests()[0].path == "/in?token=abc");
}

TEST_CASE("dead letters are found by name, counted once, and asked for properly",
          "[destinations]") {
  Receiver receiver([](const Received&) { return Reaction::fail(400); });
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/cdp/destinations", hook("h", receiver.url())).status == 200);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(send(asking, i) == 200);
  }
  REQUIRE(asking.wait_for("/cdp/destinations/h", "/dead", "3"));
  const std::string letters = "/cdp/dead-letters?destination=Hook&limit=2";

  const auto first = asking.ask("GET", letters);
  CHECK(first.at("/total") == "3");
  const auto second = asking.ask("GET", letters + "&cursor=" + first.at("/next"));
  CHECK(second.at("/total") == "3");
  CHECK(second.at("/items/0/messageId") == "m0");
  CHECK(second.at("/next") == "null");
  CHECK(asking.ask("GET", "/cdp/dead-letters?destination=none").status == 404);
  const auto replay = [&](const std::string& body) {
    return asking.ask("POST", "/cdp/dead-letters/replay", body).status;
  };
  CHECK(replay(R"({"destination":"none"})") == 404);
  CHECK(replay(R"({"ids":[1]})") == 400);
}

TEST_CASE("metrics go by the id of a destination, and end with it", "[destinations]") {
  Receiver receiver([](const Received&) { return Reaction::fail(503); });
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  Asking asking(daemon);
  for (const char* id : {"one", "two"}) {
    REQUIRE(asking.ask("POST", "/cdp/destinations", hook(id, receiver.url())).status == 200);
  }
  const auto shows = [&](const std::string& line) {
    for (int i = 0; i < 600; ++i) {
      if (asking.ask("GET", "/metrics").body.find(line + "\n") != std::string::npos) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // between two questions
    }
    return false;
  };
  REQUIRE(send(asking, 0) == 200);

  CHECK(shows(R"(edge_deliveries_pending{destination="one"} 1)"));
  CHECK(shows(R"(edge_deliveries_pending{destination="two"} 1)"));
  REQUIRE(asking.ask("DELETE", "/cdp/destinations/one").status == 200);
  CHECK(shows(R"(edge_deliveries_pending{destination="one"} 0)"));
  CHECK(shows(R"(edge_deliveries_pending{destination="two"} 1)"));
}

TEST_CASE("an error in an endpoint of the original says where it is", "[destinations]") {
  DaemonProcess daemon(kOutbound);

  CHECK_FALSE(daemon.start(
      {},
      {{"WEBHOOK_ENDPOINTS",
        R"([{"name":"a","url":"https://h/"},{"name":"b","url":"https://h/","retryConfig":{"backoffMs":0}}])"}}));

  CHECK(daemon.log().find("WEBHOOK_ENDPOINTS, element 2: \"retryConfig/backoffMs\" must be") !=
        std::string::npos);
}
