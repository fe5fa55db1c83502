// SPDX-License-Identifier: MIT
// events tail beside a real daemon: events, their deliveries, sending on, and an outage.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

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

constexpr const char* kOutbound =
    "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n";

std::ptrdiff_t times(const std::string& text, const std::string& part) {
  std::ptrdiff_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

std::string track(const std::string& id) {
  return R"({"type":"track","event":"E","userId":"u","messageId":")" + id + "\"}";
}

/// `edgectl events tail` in the background, until `stop`.
class Running {
 public:
  Running(const Sandbox& sandbox, const std::string& arguments)
      : sandbox_(sandbox), thread_([this, arguments] {
          done_ = sandbox_.run({"sh",
                                "-c",
                                "echo $$ >pid; exec " + edge::test::bin_dir() +
                                    "/edgectl events tail " + arguments + " >out 2>err"});
        }) {}
  /// Waits until it has printed a text; false after a minute.
  [[nodiscard]] bool wait_for(const std::string& text) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (sandbox_.read("out").find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > limit) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // between two looks
    }
    return true;
  }
  Finished stop() {
    ::kill(std::stoi(sandbox_.read("pid")), SIGINT);
    thread_.join();
    done_.out = sandbox_.read("out");
    done_.err = sandbox_.read("err");
    return done_;
  }

 private:
  const Sandbox& sandbox_;
  Finished done_;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("events tail tells each event and each delivery once, and sends events on", "[cli]") {
  const Receiver good;
  const Receiver bad([](const Received&) { return Reaction::fail(400); });
  const Receiver mine;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  const Sandbox sandbox;
  const std::string key = sandbox.write("key", daemon.key());
  Asking asking(daemon);
  const auto add = [&](const std::string& name, const Receiver& receiver) {
    const std::string body =
        R"({"name":")" + name + R"(","type":"webhook","config":{"url":")" + receiver.url() + "\"}}";
    REQUIRE(asking.ask("POST", "/cdp/destinations", body).status == 200);
  };
  add("good", good);
  add("bad", bad);
  REQUIRE(asking.ask("POST", "/track/event", track("before")).status == 200);
  REQUIRE(asking.wait_for("/cdp/events/before", "/destinations/1/status", "delivered"));
  REQUIRE(asking.wait_for("/cdp/events/before", "/destinations/0/status", "dead"));
  const std::string there = "--url " + daemon.url() + " --token-file key ";

  Running tail(sandbox, there + "-N 1 --forward-to " + mine.url());
  REQUIRE(tail.wait_for("  before  delivery  bad"));
  REQUIRE(asking.ask("POST", "/track/event", track("end")).status == 200);
  REQUIRE(tail.wait_for("  end  delivery  bad"));
  REQUIRE(tail.wait_for("  end  delivery  good"));
  const Finished lists = sandbox.edgectl({"events",
                                          "tail",
                                          "--url",
                                          daemon.url(),
                                          "--token-file",
                                          key,
                                          "--no-follow",
                                          "--format",
                                          "jsonl",
                                          "--where",
                                          "messageId = \"before\""});
  const Finished done = tail.stop();

  CHECK(done.exit == 130);
  INFO(done.out);
  CHECK(times(done.out, "  before  track ") == 1);
  CHECK(times(done.out, "  before  delivery  good  delivered\n") == 1);
  CHECK(times(done.out, "  before  delivery  bad  dead, 1 attempts, http_400\n") == 1);
  CHECK(times(done.out, "  end  track ") == 1);
  CHECK(times(done.out, "  end  delivery  good  delivered\n") == 1);
  CHECK(times(done.out, "  end  delivery  " + mine.url() + "  delivered\n") == 1);
  CHECK(times(done.out, "  before  delivery  " + mine.url()) == 0);
  REQUIRE(mine.count() == 1);
  CHECK(mine.requests()[0].header("webhook-id") == "msg_end");
  CHECK(mine.requests()[0].body.find("_edge") == std::string::npos);
  CHECK(lists.exit == 0);
  CHECK(times(lists.out, "\"messageId\":\"before\"") == 3);
  CHECK(times(lists.out,
              R"({"delivery":{"messageId":"before","destination":"good",)"
              R"("status":"delivered"}})") == 1);
}

TEST_CASE("events tail goes on behind the last event when the daemon was away", "[cli]") {
  const Receiver mine;
  DaemonProcess daemon(kOutbound);
  REQUIRE(daemon.start());
  const Sandbox sandbox;
  sandbox.write("key", daemon.key());
  const std::string url = daemon.url();
  {
    Asking asking(daemon);
    REQUIRE(asking.ask("POST", "/track/event", track("before")).status == 200);
  }
  Running tail(sandbox, "--url " + url + " --token-file key --forward-to " + mine.url());
  REQUIRE(tail.wait_for("  before  track "));

  REQUIRE(daemon.stop(SIGTERM) == 0);
  REQUIRE(daemon.start({"--listen", url.substr(7)}));
  Asking asking(daemon);
  REQUIRE(asking.ask("POST", "/track/event", track("later")).status == 200);
  sandbox.write("new-key", daemon.key());
  std::filesystem::rename(sandbox.path("new-key"), sandbox.path("key"));  // later than it is wanted
  REQUIRE(tail.wait_for("  later  delivery  " + mine.url()));
  const Finished done = tail.stop();

  CHECK(done.exit == 130);
  INFO(done.out << done.err);
  CHECK(times(done.out, "  before  track ") == 1);
  CHECK(times(done.out, "  later  track ") == 1);
  CHECK(mine.count() == 1);
  CHECK(times(done.err, "; trying again\n") == 1);
  CHECK(times(done.err, "the daemon answers again\n") == 1);
}

TEST_CASE("events tail says what it cannot do", "[cli]") {
  const Sandbox sandbox;
  const auto tail = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"events", "tail"});
    return sandbox.edgectl(arguments);
  };

  const Finished nowhere = tail({"--forward-to", "here"});
  CHECK(nowhere.exit == 2);
  CHECK(nowhere.err.find("--forward-to \"here\" is no URL") != std::string::npos);
  CHECK(tail({"--no-follow", "--forward-to", "http://127.0.0.1:1"}).exit == 2);
  CHECK(tail({"-N", "-1"}).exit == 2);
  CHECK(tail({"--url", "http://127.0.0.1:1"}).exit == 6);
}

TEST_CASE("events tail keeps to the format and to what is selected", "[cli]") {
  const Sandbox sandbox;
  for (const char* event : {"Order", "View, \"again\""}) {
    REQUIRE(sandbox.edgectl({"track", event, "-u", "u"}).exit == 0);
  }
  const auto tail = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"events", "tail", "--no-follow"});
    const Finished done = sandbox.edgectl(arguments);
    CHECK(done.exit == 0);
    return done.out;
  };

  const std::string csv = tail({"--format", "csv"});
  const std::string tsv = tail({"--format", "tsv"});

  CHECK(csv.starts_with("received,message,type,user,event\n"));
  CHECK(times(csv, "\n") == 3);
  CHECK(times(csv, ",track,u,Order\n") == 1);
  CHECK(times(csv, ",track,u,\"View, \"\"again\"\"\"\n") == 1);
  CHECK(tsv.starts_with("received\tmessage\ttype\tuser\tevent\n"));
  CHECK(times(tsv, "\ttrack\tu\tOrder\n") == 1);
  CHECK(tail({"--select", "/event"}) == "Order\nView, \"again\"\n");
  CHECK(tail({"--select", "/userId", "--select", "/event"}) == "u\tOrder\nu\tView, \"again\"\n");
}
