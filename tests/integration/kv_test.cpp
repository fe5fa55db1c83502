// SPDX-License-Identifier: MIT
// Kills a real daemon while clients overwrite keys, and looks for values that were answered and
// lost, for halves of values and for halves of bulks.
#include "core/kv/kv.h"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "core/storage/open.h"
#include "tests/support/asking.h"

using edge::test::Asking;
using edge::test::DaemonProcess;

namespace {

const std::string kId = "00000000000000000000000000000001";
const std::string kCache = "/client/v4/accounts/local/storage/kv/namespaces/" + kId;
constexpr int kClients = 3;
constexpr int kBulkKeys = 50;
constexpr std::size_t kBig = 5'000'000;

/// A number, as often as the size says: halves of two numbers never look like one.
std::string value_of(int number) {
  const std::string text = fmt::format("{:08};", number);
  const std::size_t size = number % 3 == 0 ? kBig : 90;
  std::string value;
  value.reserve(size + text.size());
  while (value.size() < size) {
    value += text;
  }
  return value;
}

std::string bulk_of(int number) {
  std::string body = "[";
  for (int i = 0; i < kBulkKeys; ++i) {
    body += fmt::format(R"({}{{"key":"bulk/{}","value":"{}"}})", i == 0 ? "" : ",", i, number);
  }
  return body + "]";
}

/// Clients that overwrite a key each, one of them a bulk of keys, until the daemon is gone.
class Load {
 public:
  Load(const DaemonProcess& daemon, std::vector<int>& answered) {
    for (int client = 0; client < kClients; ++client) {
      threads_.emplace_back(
          [&daemon, client, &last = answered[static_cast<std::size_t>(client)], this] {
            Asking asking(daemon);
            for (int number = last + 1;; ++number) {
              const auto answer =
                  client == 0
                      ? asking.ask("PUT", kCache + "/bulk", bulk_of(number))
                      : asking.ask(
                            "PUT", fmt::format("{}/values/k{}", kCache, client), value_of(number));
              if (answer.status != 200) {
                return;
              }
              last = number;
              ++count_;
            }
          });
    }
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  std::atomic<int> count_ = 0;
  std::vector<std::jthread> threads_;
};

}  // namespace

TEST_CASE("a kill loses no value that was answered and leaves no halves", "[integration][kv]") {
  const char* const wanted = std::getenv("EDGE_KILL_CYCLES");
  const int cycles = wanted != nullptr ? std::atoi(wanted) : 3;
  DaemonProcess daemon("");
  std::vector<int> answered(kClients, 0);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    REQUIRE(daemon.start());
    {
      const Load load(daemon, answered);
      while (load.count() < 20) {
        std::this_thread::yield();
      }
      daemon.stop(SIGKILL);
    }
    REQUIRE(daemon.start());
    Asking asking(daemon);
    for (int client = 1; client < kClients; ++client) {
      const auto answer = asking.ask("GET", fmt::format("{}/values/k{}", kCache, client));
      REQUIRE(answer.status == 200);
      int& last = answered[static_cast<std::size_t>(client)];
      const int kept = std::atoi(answer.body.c_str());
      CHECK((kept == last || kept == last + 1));
      CHECK(answer.body == value_of(kept));
      last = kept;
    }
    const int first = std::atoi(asking.ask("GET", kCache + "/values/bulk%2F0").body.c_str());
    CHECK((first == answered[0] || first == answered[0] + 1));
    for (int i = 1; i < kBulkKeys; ++i) {
      CHECK(asking.ask("GET", fmt::format("{}/values/bulk/{}", kCache, i)).body ==
            std::to_string(first));
    }
    answered[0] = first;
    REQUIRE(daemon.stop(SIGTERM) == 0);
  }

  const edge::SystemClock clock;
  edge::SystemRandom random;
  const auto store = edge::storage::open("sqlite:" + daemon.data_dir(), {}, clock, random);
  REQUIRE(store);
  edge::kv::Kv kv(**store, random, {{kId, "cache"}});
  REQUIRE(kv.sweep());
  std::size_t big = 0;
  for (int client = 1; client < kClients; ++client) {
    big += answered[static_cast<std::size_t>(client)] % 3 == 0 ? 1 : 0;
  }
  const auto left =
      (*store)->scan({.space = "kv_big"}, edge::storage::Deadline::in(std::chrono::seconds(10)));
  REQUIRE(left);
  CHECK(left->items.size() == big);
}
