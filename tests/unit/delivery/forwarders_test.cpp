// SPDX-License-Identifier: MIT
#include "core/delivery/forwarders.h"

#include <map>
#include <set>

#include "core/transport/poco/http_client.h"
#include "tests/support/receiver.h"
#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::Reaction;
using test::Received;
using test::Receiver;

/// Real time, real sockets on loopback, a store in memory.
struct Live {
  static transport::GuardRules rules() {
    transport::GuardRules made;
    made.add_loopback();
    return made;
  }

  void add(const std::string& id, const std::string& url, const std::string& more = "") {
    const std::string text = R"({"id":")" + id + R"(","name":")" + id +
                             R"(","type":"webhook","url":")" + url +
                             R"(","retry":{"baseMs":20,"capMs":50})" + more + "}";
    const auto document = json::Document::parse(text, json::kEvent);
    const auto definition = destinations::read_definition(document->root(), catalogue);
    REQUIRE(definition);
    REQUIRE(destinations.create(*definition));
  }
  void append(int n) {
    for (int i = 0; i < n; ++i) {
      const std::string id = "e" + std::to_string(appended_++);
      const std::string user = "u" + std::to_string(i % 7);
      storage::Batch batch;
      batch.appends.push_back({.stream = destinations::kStream,
                               .records = {{.source = "t",
                                            .id = id,
                                            .at = to_ms(clock.now()),
                                            .routes = ~std::uint64_t{0},
                                            .user = user,
                                            .body = R"({"type":"track","event":"x","messageId":")" +
                                                    id + R"(","userId":")" + user + "\"}"}}});
      REQUIRE(store.commit(std::move(batch), DeliveryBench::soon()));
    }
  }
  /// Runs until `done` or a minute has passed.
  bool run_until(const std::function<bool()>& done) {
    std::jthread runner([this](const std::stop_token& stop) { forwarders.run(stop); });
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!done() && std::chrono::steady_clock::now() < limit) {
      std::this_thread::yield();
    }
    return done();
  }
  Status status(const std::string& id) { return *forwarders.status(id); }

  SystemClock clock;
  SeededRandom seeded{5};
  SystemRandom random;
  test::MemoryStore store{clock};
  transport::PocoHttpClient http{rules(), clock};
  destinations::Catalogue catalogue;
  destinations::Destinations destinations{store, catalogue, {}, {}};
  metrics::Registry registry;
  Forwarders forwarders{store, destinations, http, clock, random, registry};

 private:
  int appended_ = 0;
};

std::map<std::string, int> times_received(const Receiver& receiver) {
  std::map<std::string, int> times;
  for (const Received& request : receiver.requests()) {
    ++times[request.header("webhook-id")];
  }
  return times;
}

TEST_CASE("without faults every event reaches every destination once", "[delivery]") {
  Receiver first;
  Receiver second;
  Live live;
  live.add("first", first.url());
  live.add("second", second.url());
  live.append(50);

  const bool done = live.run_until(
      [&] { return live.status("first").pending + live.status("second").pending == 0; });

  REQUIRE(done);
  CHECK(first.count() == 50);
  CHECK(second.count() == 50);
  CHECK(times_received(first).size() == 50);
  CHECK(live.status("first").delivered == 50);
}

TEST_CASE("a hanging destination delays only itself", "[delivery]") {
  Receiver good;
  Receiver hanging([](const Received&) { return Reaction::hang(); });
  Live live;
  live.add("hanging", hanging.url(), R"(,"timeoutMs":300)");
  live.add("good", good.url());
  live.append(30);

  const bool done = live.run_until([&] { return live.status("good").pending == 0; });

  REQUIRE(done);
  CHECK(good.count() == 30);
  CHECK(live.status("hanging").pending == 30);
}

TEST_CASE("a receiver that fails, throttles and cuts gets everything in the end", "[delivery]") {
  std::atomic<int> number{0};
  Receiver receiver([&](const Received&) {
    switch (number++ % 5) {
      case 0:
        return Reaction::fail(503);
      case 1:
        return Reaction::cut();
      case 2:
        return Reaction::fail(429, "Retry-After: 0\r\n");
      default:
        return Reaction{};
    }
  });
  Live live;
  live.add("hook", receiver.url());
  live.append(60);

  const bool done = live.run_until([&] { return live.status("hook").pending == 0; });

  REQUIRE(done);
  CHECK(times_received(receiver).size() == 60);
  CHECK(live.status("hook").delivered == 60);
  CHECK(live.status("hook").dead == 0);
}

TEST_CASE("events of one user arrive in their order", "[delivery]") {
  std::atomic<int> number{0};
  std::mutex mutex;
  std::map<std::string, std::vector<int>> accepted;
  Receiver receiver([&](const Received& request) {
    if (number++ % 4 == 0) {
      return Reaction::fail(500);
    }
    const int id = std::stoi(request.header("webhook-id").substr(5));
    const std::lock_guard lock(mutex);
    accepted["u" + std::to_string(id % 7)].push_back(id);
    return Reaction{};
  });
  Live live;
  live.add("hook", receiver.url());
  live.append(70);

  REQUIRE(live.run_until([&] { return live.status("hook").pending == 0; }));

  for (const auto& [user, ids] : accepted) {
    INFO(user);
    CHECK(std::is_sorted(ids.begin(), ids.end()));
  }
}

TEST_CASE("destinations come and go while the forwarders run", "[delivery]") {
  Receiver receiver;
  Live live;
  std::jthread runner([&](const std::stop_token& stop) { live.forwarders.run(stop); });
  live.add("late", receiver.url());
  live.append(3);

  REQUIRE(receiver.wait_for(3));
  REQUIRE(live.destinations.erase("late"));
  CHECK(live.forwarders.status("late").error().code == ErrorCode::NotFound);
  CHECK(live.destinations.table().get()->route(*events::Event::decode("{}")).is_empty());
}

TEST_CASE("a stop waits for what is in flight as long as it may", "[delivery]") {
  Receiver hanging([](const Received&) { return Reaction::hang(); });
  Live live;
  live.add("hook", hanging.url());
  live.append(1);
  const ForwarderLimits limits{.drain = 0ms};
  Forwarders forwarders(
      live.store, live.destinations, live.http, live.clock, live.random, live.registry, limits);
  std::jthread runner([&](const std::stop_token& stop) { forwarders.run(stop); });
  REQUIRE(hanging.wait_for(1));
  const auto begun = std::chrono::steady_clock::now();

  runner = {};  // stops and joins

  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  CHECK(ForwarderLimits{}.drain == 10s);
}

TEST_CASE("one event can be sent at once", "[delivery]") {
  Receiver receiver([](const Received&) { return Reaction{.status = 418, .body = "teapot"}; });
  Live live;
  live.add("hook", receiver.url());

  const auto attempt =
      live.forwarders.send_now("hook", R"({"type":"track","event":"x","messageId":"m"})");

  REQUIRE(attempt);
  CHECK(attempt->status == 418);
  CHECK(attempt->response == "teapot");
  CHECK(attempt->events[0] == Verdict{Action::Dead, "http_418"});
  CHECK(live.forwarders.send_now("none", "{}").error().code == ErrorCode::NotFound);
}

}  // namespace
}  // namespace edge::delivery
