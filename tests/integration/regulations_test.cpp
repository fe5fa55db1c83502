// SPDX-License-Identifier: MIT
// Deleting people from a running daemon that goes on taking events, also when it is killed.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <thread>

#include "tests/support/asking.h"
#include "tests/support/daemon_process.h"
#include "tests/support/raw_files.h"

using edge::test::Asking;
using edge::test::DaemonProcess;

namespace {

bool holds(const std::string& directory, const std::string& text) {
  return !edge::test::files_with(directory, text).empty();
}

std::string events_of(const std::string& user, int count, const std::string& note) {
  std::string body = R"({"batch":[)";
  for (int i = 0; i < count; ++i) {
    body += fmt::format(
        R"({}{{"type":"track","event":"E","userId":"{}","properties":{{"note":"{}"}}}})",
        i == 0 ? "" : ",",
        user,
        note);
  }
  return body + "]}";
}

std::string deletion_of(const std::string& user) {
  return R"({"regulationType":"DELETE_ONLY","subjectType":"USER_ID","subjectIds":[")" + user +
         "\"]}";
}

}  // namespace

TEST_CASE("a daemon forgets a person while others go on", "[regulations]") {
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/v1/batch", events_of("u-gone", 200, "planted-n0te")).status == 200);
  std::atomic<bool> is_over = false;
  std::atomic<int> taken = 0;
  std::jthread sender([&] {
    Asking other(daemon);
    while (!is_over) {
      taken += other.ask("POST", "/v1/batch", events_of("u-busy", 10, "x")).status == 200 ? 10 : 0;
    }
  });

  const auto started = asking.ask("POST", "/cdp/regulations", deletion_of("u-gone"));
  CHECK(started.status == 200);
  CHECK(started.at("/status") == "RUNNING");
  CHECK(asking.wait_for("/cdp/regulations/" + started.at("/id"), "/status", "FINISHED"));
  is_over = true;
  sender.join();

  const auto done = asking.ask("GET", "/cdp/regulations/" + started.at("/id"));
  CHECK(done.at("/counts/events") == "200");
  CHECK(done.at("/counts/profiles") == "1");
  CHECK(asking.ask("POST", "/cdp/profile", R"({"userId":"u-gone"})").body == "null");
  CHECK(asking.ask("POST", "/cdp/profile", R"({"userId":"u-busy"})").at("/eventCount") ==
        std::to_string(taken));
  CHECK_FALSE(holds(daemon.data_dir(), "planted-n0te"));
  CHECK_FALSE(holds(daemon.data_dir(), "u-gone"));
  CHECK(daemon.stop(SIGTERM) == 0);
  CHECK_FALSE(holds(daemon.data_dir(), "planted-n0te"));
}

TEST_CASE("a deletion goes on when the daemon is killed in its midst", "[regulations]") {
  const std::string point = GENERATE("regulation.after_step:1",
                                     "regulation.after_step:3",
                                     "regulation.after_step:5",
                                     "erase.after_swap",
                                     "scrub.before_checkpoint");
  INFO(point);
  DaemonProcess daemon("");
  REQUIRE(daemon.start({}, {{"EDGE_FAULT", point + ":kill"}}));
  std::string id;
  {
    Asking asking(daemon);
    REQUIRE(asking.ask("POST", "/v1/batch", events_of("u-gone", 20, "planted-n0te")).status == 200);
    REQUIRE(asking.ask("POST", "/v1/batch", events_of("u-kept", 20, "x")).status == 200);
    id = asking.ask("POST", "/cdp/regulations", deletion_of("u-gone")).at("/id");
    daemon.stop(0);
  }
  REQUIRE(daemon.start());
  Asking asking(daemon);

  CHECK(asking.wait_for("/cdp/regulations/" + id, "/status", "FINISHED"));
  CHECK(asking.ask("GET", "/cdp/regulations/" + id).at("/counts/events") == "20");
  CHECK(asking.ask("POST", "/cdp/profile", R"({"userId":"u-gone"})").body == "null");
  CHECK(asking.ask("POST", "/cdp/profile", R"({"userId":"u-kept"})").at("/eventCount") == "20");
  CHECK_FALSE(holds(daemon.data_dir(), "planted-n0te"));
}

TEST_CASE("the routes of privacy answer as written", "[regulations]") {
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/v1/batch", events_of("u-1", 2, "x")).status == 200);
  const std::string profile =
      asking.ask("POST", "/cdp/profile", R"({"userId":"u-1"})").at("/profileId");

  const auto wrong = asking.ask("POST", "/cdp/regulations", R"({"regulationType":"X"})");
  CHECK(wrong.status == 400);
  CHECK(wrong.body.find("regulationType must be") != std::string::npos);
  CHECK(asking.ask("GET", "/cdp/regulations/none").status == 404);
  CHECK(asking.ask("DELETE", "/cdp/profiles/none").status == 404);
  CHECK(asking.ask("GET", "/cdp/profiles/export").status == 400);
  CHECK(asking.ask("GET", "/cdp/profiles/export?userId=nobody").status == 404);
  const auto lines = asking.ask("GET", "/cdp/profiles/export?userId=u-1");
  CHECK(lines.status == 200);
  CHECK(std::count(lines.body.begin(), lines.body.end(), '\n') == 4);
  const auto deleted = asking.ask("DELETE", "/cdp/profiles/" + profile);
  CHECK(deleted.status == 200);
  CHECK(asking.wait_for("/cdp/regulations/" + deleted.at("/id"), "/status", "FINISHED"));
  CHECK(asking.ask("POST", "/cdp/regulations/" + deleted.at("/id") + "/retry").status == 409);
  CHECK(asking.ask("POST", "/cdp/regulations/none/retry").status == 404);
  CHECK(asking.ask("GET", "/cdp/profiles/" + profile).status == 404);
  CHECK(asking.ask("GET", "/cdp/events?userId=u-1").at("/items") == "[]");
}
