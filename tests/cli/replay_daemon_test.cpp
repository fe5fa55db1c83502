// SPDX-License-Identifier: MIT
// replay --from http(s)://daemon: the events of a real daemon, over its API.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/asking.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace {

/// A daemon that holds `n` events of the users `u0` and `u1` in turn.
struct Filled {
  explicit Filled(int n) {
    REQUIRE(daemon.start());
    key = sandbox.write("key", daemon.key());
    Asking asking{daemon};
    for (int first = 0; first < n; first += 500) {
      std::string batch = R"({"batch":[)";
      for (int i = first; i < std::min(n, first + 500); ++i) {
        const std::string number = std::to_string(i);
        batch += (i == first ? "" : ",") +
                 std::string(R"({"type":"track","event":"E","userId":"u)") +
                 (i % 2 == 0 ? "0" : "1") + R"(","messageId":"m)" + number +
                 R"(","properties":{"n":)" + number + "}}";
      }
      REQUIRE(asking.ask("POST", "/v1/batch", batch + "]}").status == 200);
    }
  }

  Finished replay(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"replay", "--from", daemon.url() + "/", "--token-file", key});
    return sandbox.edgectl(arguments);
  }

  DaemonProcess daemon{""};
  Sandbox sandbox;
  std::string key = {};
};

std::string ids(const std::string& lines) {
  std::string found;
  for (std::size_t at = 0; (at = lines.find("\"messageId\":\"", at)) != std::string::npos;) {
    at += 13;
    found += lines.substr(at, lines.find('"', at) - at) + " ";
  }
  return found;
}

}  // namespace

TEST_CASE("replay takes the events of another daemon page by page, oldest first", "[cli]") {
  const Filled filled(1'203);
  std::string all;
  for (int i = 0; i < 1'203; ++i) {
    all += "m" + std::to_string(i) + " ";
  }

  const Finished done = filled.replay({"--to", "-", "--in-flight", "1"});

  CHECK(done.exit == 0);
  CHECK(ids(done.out) == all);
  CHECK(done.out.find("_edge") == std::string::npos);
  CHECK(done.err.find("replayed 1203 ") != std::string::npos);
}

TEST_CASE("the events of another daemon are chosen and stored here", "[cli]") {
  const Filled filled(20);

  CHECK(ids(filled.replay({"--to", "-", "--where", "userId = u1", "--limit", "6"}).out) ==
        "m1 m3 m5 m7 m9 m11 ");
  CHECK(ids(filled.replay({"--to", "-", "--until", "-1h"}).out).empty());
  CHECK(filled.replay({"--to", "local"}).exit == 0);
  CHECK(filled.sandbox
            .edgectl({"events", "list", "--local", "--limit", "100", "--where", "userId = u0"})
            .out.find("m18") != std::string::npos);
}

TEST_CASE("an interrupted replay from a daemon is resumed where it was", "[cli]") {
  const Filled filled(40);
  int refused = 0;
  Receiver receiver([&refused](const Received& request) {
    return request.header("webhook-id") == "msg_m25" && refused++ == 0 ? Reaction::fail(400)
                                                                       : Reaction{};
  });
  const std::vector<std::string> arguments{"--to",
                                           "webhook:" + receiver.url(),
                                           "--in-flight",
                                           "1",
                                           "--checkpoint",
                                           filled.sandbox.path("state.json")};
  auto stopping = arguments;
  stopping.insert(stopping.end(), {"--on-error", "stop"});
  auto resuming = arguments;
  resuming.emplace_back("--resume");

  const Finished stopped = filled.replay(stopping);
  const Finished unsaid = filled.replay(arguments);
  const Finished resumed = filled.replay(resuming);

  CHECK(stopped.exit == 8);
  CHECK(unsaid.exit == 2);
  CHECK(unsaid.err.find("--resume or --restart") != std::string::npos);
  CHECK(resumed.exit == 0);
  CHECK(receiver.count() == 41);  // the one that was refused came twice
  CHECK_FALSE(std::filesystem::exists(filled.sandbox.path("state.json")));
}

TEST_CASE("replay says why a daemon's events cannot be read", "[cli]") {
  const Receiver elsewhere;
  Filled filled(1);
  const Sandbox stranger;
  const auto from = [&](const std::string& url) {
    return stranger.edgectl({"replay", "--from", url, "--to", "-"});
  };

  const Finished nobody = from("http://127.0.0.1:1");
  CHECK(nobody.exit == 6);
  CHECK(nobody.err.find("no daemon at http://127.0.0.1:1") != std::string::npos);
  const Finished unnamed = from(filled.daemon.url());
  CHECK(unnamed.exit == 4);
  CHECK(unnamed.err.find("--token-file") != std::string::npos);
  const Finished other = from(elsewhere.url());
  CHECK(other.exit == 5);
  CHECK(other.err.find("is no edged that lists events") != std::string::npos);
  CHECK(from("queue:jobs").err.find("there is no store in ") != std::string::npos);
  REQUIRE(stranger.edgectl({"track", "E", "-u", "u"}).exit == 0);  // makes one
  const Finished queue = from("queue:jobs");
  CHECK(queue.exit == 5);
  CHECK(queue.err.find("there is no queue \"jobs\"") != std::string::npos);
  CHECK(from("queue:").exit == 2);
  CHECK(from("queue").err.find("queue:NAME") != std::string::npos);
  CHECK(filled.replay({"--to", "-", "--map", "userId=id"}).exit == 2);
}
