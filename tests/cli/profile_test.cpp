// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <utility>

#include "core/json/document.h"
#include "tests/cli/command_group.h"

using edge::test::CommandGroup;
using edge::test::contains;
using edge::test::Finished;
using edge::test::Sandbox;

TEST_CASE("profile show prints what events made known, in text and JSON", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"track", "Button Clicked", "-u", "u-42"}).exit == 0);
  REQUIRE(
      sandbox
          .edgectl(
              {"identify", "-u", "u-42", "--trait", "plan=pro", "--trait", "email=Mia@X.example"})
          .exit == 0);

  const Finished text = sandbox.edgectl({"profile", "show", "u-42"});
  const Finished segments = sandbox.edgectl({"profile", "show", "u-42", "--select", "/segments"});
  const Finished json =
      sandbox.edgectl({"profile", "show", "mia@x.example", "--id-type", "email", "--json"});

  CHECK(text.exit == 0);
  CHECK(text.out.find("user_id           u-42\n") != std::string::npos);
  CHECK(text.out.find("trait plan        pro\n") != std::string::npos);
  const std::size_t last = text.out.find("event             20");
  CHECK(last != std::string::npos);
  CHECK(text.out.find("identify", last) < text.out.find("track Button Clicked (", last));
  CHECK(sandbox.edgectl({"profile", "show", "u-42", "--select", "/lastEvents/1/event"}).out ==
        "Button Clicked\n");
  CHECK(segments.out == "interactive_user\nnew_user\nplan_pro\n");
  const auto document = edge::json::Document::parse(json.out, edge::json::kStrict);
  REQUIRE(document);
  CHECK(document->root().find("schema")->as_string() == "edge.profile/1");
  CHECK(document->root().find("userId")->as_string() == "u-42");
  CHECK(document->root().find("eventCount")->as_int64() == 2);
}

TEST_CASE("profile show of a stranger says so and exits with 5", "[cli]") {
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"track", "E", "-u", "u-1"}).exit == 0);

  const Finished stranger = sandbox.edgectl({"profile", "show", "u-2"});
  const Finished wrong = sandbox.edgectl({"profile", "show", "u-1", "--id-type", "shoe"});

  CHECK(stranger.exit == 5);
  CHECK(stranger.err.find("no profile has the user id \"u-2\"") != std::string::npos);
  CHECK(wrong.exit == 2);
}

TEST_CASE("an expression that cannot be read is a wrong use, here and at a daemon", "[cli]") {
  const bool remote = GENERATE(false, true);
  const CommandGroup group("profile", remote);

  CHECK(group.refusal({"find", "--where", "plan ="}).starts_with("2 "));
  CHECK(contains(group.refusal({"find", "--where", "count(\"E\") > 1"}), "cannot count events"));
}

TEST_CASE("a session goes on from one command to the next", "[cli]") {
  const Sandbox sandbox;
  const auto session_of = [&](const std::string& id, const std::string& time) {
    sandbox.write("event.json",
                  R"({"type":"track","event":"E","userId":"u","messageId":")" + id +
                      R"(","timestamp":"2026-03-14T)" + time + R"(:00Z"})");
    REQUIRE(sandbox.edgectl({"send", "-i", "event.json"}).exit == 0);
    const Finished shown = sandbox.edgectl({"events", "show", id, "--json"});
    const auto document = edge::json::Document::parse(shown.out, edge::json::kStrict);
    REQUIRE(document);
    const auto session = document->root().at_pointer("/event/context/session");
    REQUIRE(session);
    return std::pair(session->find("id")->as_int64().value(),
                     session->find("new")->as_bool().value());
  };

  CHECK(session_of("m-1", "09:00") == std::pair<std::int64_t, bool>(1'773'478'800'000, true));
  CHECK(session_of("m-2", "09:29") == std::pair<std::int64_t, bool>(1'773'478'800'000, false));
  CHECK(session_of("m-3", "10:00") == std::pair<std::int64_t, bool>(1'773'482'400'000, true));
}
