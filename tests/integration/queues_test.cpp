// SPDX-License-Identifier: MIT
// Kills a real daemon while clients send, pull and acknowledge, and counts: no answered send is
// lost, no acknowledged message comes back, and the counters are what a recount finds.
#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "tests/support/asking.h"
#include "tests/support/receiver.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Received;
using edge::test::Receiver;

namespace {

const std::string kQueues = "/client/v4/accounts/local/queues";
const std::string kLoad = kQueues + "/load";
constexpr int kSenders = 2;

/// What clients know for sure, and what may be either way.
struct Ledger {
  std::mutex mutex;
  std::set<std::string> answered;  // sends
  std::set<std::string> acked;     // acks that were answered
  std::set<std::string> unsure;    // acks without an answer
  std::atomic<int> sent = 0;
  std::atomic<int> count = 0;
};

std::string text_of(edge::json::Value message) {
  const auto body = message.find("body");
  const auto octets = edge::encoding::base64_decode(body ? body->as_string().value_or("") : "");
  return octets.value_or("");
}

void send_until_gone(const DaemonProcess& daemon, Ledger& ledger) {
  Asking asking(daemon);
  for (;;) {
    const std::string body = std::to_string(++ledger.sent);
    const auto answer =
        asking.ask("POST", kLoad + "/messages", fmt::format(R"({{"body":{}}})", body));
    if (answer.status != 200) {
      return;
    }
    ++ledger.count;
    const std::lock_guard lock(ledger.mutex);
    ledger.answered.insert(body);
  }
}

void consume_until_gone(const DaemonProcess& daemon, Ledger& ledger) {
  Asking asking(daemon);
  for (;;) {
    const auto pulled = asking.ask("POST", kLoad + "/messages/pull", R"({"batch_size":3})");
    if (pulled.status != 200) {
      return;
    }
    const auto document = edge::json::Document::parse(pulled.body, edge::json::kApi);
    edge::json::Writer acks;
    std::set<std::string> bodies;
    acks.begin_object().key("acks").begin_array();
    for (const edge::json::Value message :
         document->root().at_pointer("/result/messages")->elements()) {
      bodies.insert(text_of(message));
      acks.begin_object().member("lease_id", *message.find("lease_id")->as_string()).end_object();
    }
    acks.end_array().end_object();
    const auto answer = asking.ask("POST", kLoad + "/messages/ack", acks.take());
    const std::lock_guard lock(ledger.mutex);
    (answer.status == 200 ? ledger.acked : ledger.unsure).merge(bodies);
    if (answer.status != 200) {
      return;
    }
  }
}

/// The bodies of all messages that are there.
std::multiset<std::string> all_of(Asking& asking) {
  std::multiset<std::string> bodies;
  std::string cursor;
  do {
    const auto page = asking.ask("POST",
                                 kLoad + "/messages/peek",
                                 fmt::format(R"({{"batch_size":100,"cursor":"{}"}})", cursor));
    REQUIRE(page.status == 200);
    const auto document = edge::json::Document::parse(page.body, edge::json::kApi);
    for (const edge::json::Value message :
         document->root().at_pointer("/result/messages")->elements()) {
      bodies.insert(text_of(message));
    }
    cursor = page.at("/result/cursor");
  } while (!cursor.empty());
  return bodies;
}

}  // namespace

TEST_CASE("a kill loses no answered send, brings no acknowledged message back, and counts add up",
          "[integration][queues]") {
  const char* const wanted = std::getenv("EDGE_KILL_CYCLES");
  const int cycles = wanted != nullptr ? std::atoi(wanted) : 3;
  DaemonProcess daemon("");
  Ledger ledger;
  REQUIRE(daemon.start());
  REQUIRE(Asking(daemon).ask("POST", kQueues, R"({"queue_name":"load"})").status == 200);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    {
      std::vector<std::jthread> clients;
      for (int sender = 0; sender < kSenders; ++sender) {
        clients.emplace_back([&] { send_until_gone(daemon, ledger); });
      }
      clients.emplace_back([&] { consume_until_gone(daemon, ledger); });
      const int enough = ledger.count + 60;
      while (ledger.count < enough) {
        std::this_thread::yield();
      }
      daemon.stop(SIGKILL);
    }
    REQUIRE(daemon.start());
    Asking asking(daemon);
    const std::multiset<std::string> kept = all_of(asking);

    CHECK(std::set<std::string>(kept.begin(), kept.end()).size() == kept.size());
    for (const std::string& body : ledger.answered) {
      const bool is_there = kept.contains(body);
      INFO("message " << body);
      CHECK((is_there || ledger.acked.contains(body) || ledger.unsure.contains(body)));
      CHECK((!is_there || !ledger.acked.contains(body)));
    }
    const auto metrics = asking.ask("GET", kLoad + "/metrics");
    std::size_t bytes = 0;
    for (const std::string& body : kept) {
      bytes += body.size();
    }
    CHECK(metrics.at("/result/backlog_count") == std::to_string(kept.size()));
    CHECK(metrics.at("/result/backlog_bytes") == std::to_string(bytes));
  }
  WARN("queues: " << cycles << " kills, " << ledger.answered.size() << " answered sends, "
                  << ledger.acked.size() << " acknowledged");
}

TEST_CASE("queues of the configuration are made, posted to and watched", "[integration][queues]") {
  const Receiver consumer;
  const Receiver told;
  DaemonProcess daemon(fmt::format(R"(
[outbound]
allow_http = true
allow_private = ["127.0.0.1"]
[alerts]
url = "{}"
[[queues]]
name = "jobs"
consumer = {{ type = "worker", url = "{}", settings = {{ max_wait_time_ms = 0 }} }}
[[queues]]
name = "idle"
alerts = ["backlog > 0 for 0s"]
)",
                                   told.url(),
                                   consumer.url("/jobs")));
  REQUIRE(daemon.start());
  Asking asking(daemon);
  REQUIRE(asking.wait_for(kQueues + "/idle", "/success", "true"));
  REQUIRE(asking.ask("POST", "/api/queue/send?queue=jobs", R"({"n":1})").status == 200);
  REQUIRE(asking.ask("POST", "/api/queue/send?queue=idle", "1").status == 200);

  REQUIRE(consumer.wait_for(1));
  CHECK(consumer.requests()[0].path == "/jobs");
  CHECK(consumer.requests()[0].body.find(R"("body":{"n":1})") != std::string::npos);
  CHECK(asking.wait_for(kQueues + "/jobs/metrics", "/result/backlog_count", "0"));
  REQUIRE(told.wait_for(1));
  CHECK(told.requests()[0].body.find(R"("alert":"backlog > 0 for 0s")") != std::string::npos);
  CHECK(asking.ask("GET", "/metrics").body.find("edge_queue_acked_total{queue=\"jobs\"} 1") !=
        std::string::npos);
  CHECK(daemon.stop(SIGTERM) == 0);
}

TEST_CASE("wrong queues of the configuration stop the start", "[integration][queues]") {
  for (const char* wrong : {"[[queues]]\nname = \"No\"\n",
                            "[[queues]]\nname = \"a\"\nalerts = [\"backlog > 1\"]\n[alerts]\nurl = "
                            "\"https://example.com/\"\n",
                            "[[queues]]\nname = \"a\"\nalerts = [\"oldest_age > 1m\"]\n"}) {
    DaemonProcess daemon(wrong);
    CHECK_FALSE(daemon.start());
  }
}
