// SPDX-License-Identifier: MIT
// Sessions through a real daemon: the answer of an action, the stored event and what a destination
// hears agree, also after a kill.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "tests/support/asking.h"
#include "tests/support/receiver.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Receiver;

TEST_CASE("a person's session goes on through requests, a login and a kill", "[integration]") {
  Receiver receiver;
  DaemonProcess daemon(fmt::format(
      "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.1\"]\n"
      "[[destinations]]\nname = \"hook\"\ntype = \"webhook\"\nconfig = {{ url = \"{}\" }}\n",
      receiver.url()));
  REQUIRE(daemon.start());
  Asking asking(daemon);
  const auto act = [&](const std::string& names) {
    const auto answer =
        asking.ask("POST",
                   "/realtime/action",
                   R"({"type":"button_click","data":{},"source":"web",)" + names + "}");
    REQUIRE(answer.status == 200);
    return answer.at("/sessionId");
  };
  const auto track = [&](const std::string& names, const std::string& id) {
    const auto stored =
        asking.ask("POST",
                   "/track/event",
                   R"({"type":"track","event":"E","messageId":")" + id + R"(",)" + names + "}");
    REQUIRE(stored.status == 200);
    return asking.ask("GET", "/cdp/events/" + id).at("/event/context/session");
  };

  const std::string session = act(R"("userId":"u","anonymousId":"a")");
  CHECK(session.size() == 13);
  CHECK(act(R"("userId":"u")") == session);
  CHECK(track(R"("anonymousId":"a")", "m-1") ==
        fmt::format(R"({{"id":{},"new":false,"index":1}})", session));
  REQUIRE(daemon.stop(SIGKILL) == 128 + SIGKILL);
  REQUIRE(daemon.start());

  CHECK(track(R"("userId":"u")", "m-2") ==
        fmt::format(R"({{"id":{},"new":false,"index":1}})", session));
  CHECK(act(R"("userId":"u")") == session);
  CHECK(act(R"("userId":"another")") != session);
  REQUIRE(receiver.wait_for(6));
  for (const auto& request : receiver.requests()) {
    INFO(request.body);
    const bool is_of_session =
        request.body.find(fmt::format(R"("sessionId":{},)", session)) != std::string::npos;
    CHECK(is_of_session == (request.body.find("another") == std::string::npos));
  }
  CHECK(asking.ask("GET", "/metrics").body.find("edge_session_lookups_total") != std::string::npos);
}
