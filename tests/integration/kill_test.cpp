// SPDX-License-Identifier: MIT
// Kills a real daemon at random moments under load and compares what it acknowledged with what it
// kept and delivered (reliability spec 4, first row; promises R1, R3 to R6).
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "core/json/document.h"
#include "core/storage/open.h"
#include "core/transport/open.h"
#include "tests/support/daemon_process.h"
#include "tests/support/receiver.h"

using namespace std::chrono_literals;
using edge::test::DaemonProcess;
using edge::test::Receiver;
namespace storage = edge::storage;
namespace transport = edge::transport;

namespace {

constexpr int kClients = 8;
constexpr int kBatch = 20;

std::string config_for(const std::vector<std::pair<std::string, const Receiver*>>& destinations) {
  std::string text = "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n";
  for (const auto& [name, receiver] : destinations) {
    text += "[[destinations]]\nname = \"" + name +
            "\"\ntype = \"webhook\"\nordering = \"none\"\nurl = \"" + receiver->url("/") +
            "\"\nretry = { baseMs = 20, capMs = 200 }\n";
  }
  return text;
}

std::string batch_of(const std::string& prefix) {
  std::string body = R"({"batch":[)";
  for (int i = 0; i < kBatch; ++i) {
    body += (i == 0 ? "" : ",");
    body += R"({"type":"track","event":"Tested","userId":"u-)" + std::to_string(i % 7) +
            R"(","messageId":")" + prefix + "-" + std::to_string(i) + "\"}";
  }
  return body + "]}";
}

/// Clients that send batches until told to stop and remember what was acknowledged.
class Load {
 public:
  Load(std::string url, int cycle) {
    for (int client = 0; client < kClients; ++client) {
      threads_.emplace_back([this, url, cycle, client](const std::stop_token& stop) {
        send(stop, url, cycle, client);
      });
    }
  }
  std::set<std::string> finish() {
    threads_.clear();
    return std::move(acknowledged_);
  }
  [[nodiscard]] int answered() const { return answered_; }

 private:
  void send(const std::stop_token& stop, const std::string& url, int cycle, int client) {
    edge::SystemClock clock;
    const auto http = transport::open_client(transport::GuardRules::trusted(), clock);
    for (int number = 0; !stop.stop_requested(); ++number) {
      const std::string prefix =
          std::to_string(cycle) + "-" + std::to_string(client) + "-" + std::to_string(number);
      const auto response = http->send(
          {.method = "POST", .url = url + "/v1/batch", .body = batch_of(prefix), .timeout = 5s});
      if (!response) {
        return;  // killed
      }
      if (response->status == 200) {
        ++answered_;
        const std::lock_guard lock(mutex_);
        for (int i = 0; i < kBatch; ++i) {
          acknowledged_.insert(prefix + "-" + std::to_string(i));
        }
      }
    }
  }

  std::mutex mutex_;
  std::set<std::string> acknowledged_;  // guarded by mutex_
  std::atomic<int> answered_{0};
  std::vector<std::jthread> threads_;
};

/// How often each messageId stands in the log.
std::map<std::string, int> stored_in(const std::string& data_dir) {
  edge::SystemClock clock;
  edge::SystemRandom random;
  auto store = storage::open("sqlite:" + data_dir, {}, clock, random);
  REQUIRE(store);
  std::map<std::string, int> counts;
  std::uint64_t after = 0;
  while (true) {
    const auto slice =
        (*store)->read({.stream = "events", .lane = 0, .after = after}, storage::Deadline::in(30s));
    REQUIRE(slice);
    if (slice->records.empty()) {
      return counts;
    }
    for (const auto& record : slice->records) {
      const auto body = edge::json::Document::parse(record->body, edge::json::kEvent);
      ++counts[std::string(*body->root().find("messageId")->as_string())];
    }
    after = slice->reached;
  }
}

/// How often a receiver got each messageId.
std::map<std::string, int> delivered_to(const Receiver& receiver) {
  std::map<std::string, int> counts;
  for (const auto& request : receiver.requests()) {
    const auto body = edge::json::Document::parse(request.body, edge::json::kEvent);
    ++counts[std::string(*body->root().find("messageId")->as_string())];
  }
  return counts;
}

int cycles() {
  const char* wanted = std::getenv("EDGE_KILL_CYCLES");
  return wanted == nullptr ? 20 : std::atoi(wanted);
}

}  // namespace

TEST_CASE("killed at random under load, a daemon loses nothing that it acknowledged",
          "[integration]") {
  edge::SystemRandom seeds;
  const std::uint64_t seed = seeds.next();
  CAPTURE(seed);
  edge::SeededRandom random(seed);
  const Receiver good;
  std::atomic<unsigned> asked{0};
  const Receiver flaky([&](const auto&) {
    return ++asked % 5 == 0 ? edge::test::Reaction::fail(503) : edge::test::Reaction{};
  });
  DaemonProcess daemon(config_for({{"good", &good}, {"flaky", &flaky}}));
  std::set<std::string> acknowledged;
  int kills = 0;

  for (int cycle = 0; cycle < cycles(); ++cycle) {
    REQUIRE(daemon.start());
    Load load(daemon.url(), cycle);
    while (load.answered() < 3) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(
        std::chrono::milliseconds(random.below(120)));  // the moment is meant to be any
    CHECK(daemon.stop(SIGKILL) == 128 + SIGKILL);
    ++kills;
    acknowledged.merge(load.finish());
  }
  REQUIRE(daemon.start());
  REQUIRE(good.wait_for(acknowledged.size()));
  REQUIRE(flaky.wait_for(acknowledged.size()));
  CHECK(daemon.stop(SIGTERM) == 0);

  std::size_t lost = 0;
  std::size_t doubled = 0;
  const auto stored = stored_in(daemon.data_dir());
  for (const auto& id : acknowledged) {
    lost += stored.contains(id) ? 0 : 1;
  }
  for (const auto& [id, count] : stored) {
    doubled += count > 1 ? 1 : 0;
  }
  std::printf("kill test: %d kills, %zu acknowledged, %zu lost, %zu stored twice\n",
              kills,
              acknowledged.size(),
              lost,
              doubled);
  CHECK(lost == 0);
  CHECK(doubled == 0);
}

TEST_CASE(
    "after crashes every acknowledged event reaches its destination, repeats stay within what was "
    "in flight",
    "[integration]") {
  const Receiver receiver;
  DaemonProcess daemon(config_for({{"only", &receiver}}));
  std::set<std::string> acknowledged;
  constexpr int kKills = 3;
  for (int cycle = 0; cycle < kKills; ++cycle) {
    REQUIRE(daemon.start());
    Load load(daemon.url(), cycle);
    while (load.answered() < 10) {
      std::this_thread::yield();
    }
    daemon.stop(SIGKILL);
    acknowledged.merge(load.finish());
  }

  REQUIRE(daemon.start());
  const auto all_there = [&] {
    const auto got = delivered_to(receiver);
    return std::ranges::all_of(acknowledged, [&](const auto& id) { return got.contains(id); });
  };
  const auto until = std::chrono::steady_clock::now() + 60s;
  std::size_t seen = 0;
  while (!all_there() && std::chrono::steady_clock::now() < until) {
    seen = receiver.count();
    if (!receiver.wait_for(seen + 1)) {
      break;
    }
  }
  CHECK(daemon.stop(SIGTERM) == 0);

  CHECK(all_there());
  std::size_t repeats = 0;
  for (const auto& [id, count] : delivered_to(receiver)) {
    repeats += static_cast<std::size_t>(count - 1);
  }
  std::printf("delivery after %d kills: %zu acknowledged, %zu repeats\n",
              kKills,
              acknowledged.size(),
              repeats);
  CHECK(repeats <= kKills * 4U);  // one request per event, four at a time
}

TEST_CASE("SIGTERM answers what it took and exits with 0", "[integration]") {
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  Load load(daemon.url(), 0);
  while (load.answered() < 5) {
    std::this_thread::yield();
  }

  const int status = daemon.stop(SIGTERM);

  const auto acknowledged = load.finish();
  const auto stored = stored_in(daemon.data_dir());
  CHECK(status == 0);
  for (const auto& id : acknowledged) {
    CHECK(stored.contains(id));
  }
}

TEST_CASE("a second daemon on the same data directory is refused with exit 9", "[integration]") {
  DaemonProcess first("");
  REQUIRE(first.start());
  DaemonProcess second("");

  CHECK_FALSE(second.start({"--data-dir", first.data_dir()}));

  CHECK(second.log().find(std::to_string(first.pid())) != std::string::npos);
  CHECK(first.stop(SIGTERM) == 0);
}
