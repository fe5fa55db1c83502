// SPDX-License-Identifier: MIT
#include "core/delivery/forwarder.h"

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::ScriptedHttp;

TEST_CASE("routed events are delivered once, in order, with nothing written per event",
          "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");
  bench.append("b", "u2", 2);
  bench.append("c", "u1");
  const auto forwarder = bench.forwarder();

  CHECK(forwarder->status()->pending == 2);
  CHECK(forwarder->work());
  CHECK_FALSE(forwarder->work());

  CHECK(bench.sent() == Ids{"a", "c"});
  CHECK(bench.rows().empty());
  CHECK(bench.cursor() == 3);
  const auto status = forwarder->status();
  CHECK(status->pending == 0);
  CHECK(status->delivered == 2);
  CHECK(status->attempts == 2);
  CHECK(status->dead == 0);
}

TEST_CASE("requests name the daemon and count the hops", "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");

  bench.forwarder()->work();

  const auto request = bench.http.requests().at(0);
  const auto field = [&](const char* name) {
    const transport::IncomingResponse headers{.headers = request.headers};
    return std::string(headers.header(name).value_or(""));
  };
  CHECK(field("user-agent").starts_with("edged/"));
  CHECK(field("x-edge-hops") == "1");
  CHECK(field("content-type") == "application/json");
}

TEST_CASE("a failed delivery is tried again after its back-off with the same id", "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(500));
  forwarder->work();

  CHECK(bench.rows().size() == 1);
  CHECK(bench.cursor() == 1);
  CHECK(forwarder->status()->pending == 1);
  CHECK(forwarder->status()->last_error == "http_500");
  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(1500ms);
  CHECK_FALSE(forwarder->work());
  bench.clock.advance(1s);
  CHECK(forwarder->work());

  CHECK(bench.sent() == Ids{"a", "a"});
  CHECK(bench.rows().empty());
  CHECK(forwarder->status()->pending == 0);
  CHECK(forwarder->status()->delivered == 1);
  CHECK(forwarder->status()->retried == 1);
}

TEST_CASE("a refused event becomes a dead letter that tells why", "[delivery]") {
  DeliveryBench bench(R"({"headers":{"X-Api-Key":"topsecret"}})");
  bench.append("a", "u1");
  bench.append("b", "u1");
  bench.http.follow([](const transport::OutgoingRequest& request) {
    const bool hit = request.body.find("\"a\"") != std::string::npos;
    return transport::IncomingResponse{.status = hit ? 400 : 200, .body = "no such field"};
  });

  bench.forwarder()->work();

  CHECK(bench.sent() == Ids{"a", "b"});
  const auto dead = bench.dead();
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].reason == "http_400");
  CHECK(dead[0].status == 400);
  CHECK(dead[0].response == "no such field");
  CHECK(dead[0].attempts == 1);
  CHECK(dead[0].destination == "hook");
  CHECK(dead[0].event.find("\"messageId\":\"a\"") != std::string::npos);
  CHECK(dead[0].request.find("topsecret") == std::string::npos);
  CHECK(dead[0].request.find("https://h.example/") != std::string::npos);
}

TEST_CASE("with ordering, later events of a user wait behind a retry and others do not",
          "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  bench.http.follow(failing("a1", 408));
  for (const auto& [id, user] : std::vector<std::pair<std::string, std::string>>{
           {"a1", "a"}, {"a2", "a"}, {"b1", "b"}, {"a3", "a"}, {"b2", "b"}}) {
    bench.append(id, user);
  }
  forwarder->work();

  CHECK(bench.sent() == Ids{"a1", "b1", "b2"});
  CHECK(forwarder->status()->pending == 3);
  CHECK(bench.cursor() == 5);
  bench.http.follow(ScriptedHttp::answering(200));
  bench.http.forget();
  bench.append("a4", "a");
  bench.clock.advance(3s);
  forwarder->work();

  CHECK(bench.sent() == Ids{"a1", "a2", "a3", "a4"});
  CHECK(forwarder->status()->pending == 0);
}

TEST_CASE("without ordering nothing waits behind a retry", "[delivery]") {
  DeliveryBench bench(R"({"ordering":"none"})");
  bench.http.follow(failing("a1", 408));
  bench.append("a1", "a");
  bench.append("a2", "a");

  bench.forwarder()->work();

  CHECK(bench.sent() == Ids{"a1", "a2"});
  CHECK(bench.rows().size() == 1);
}

TEST_CASE("a dead event does not block those behind it", "[delivery]") {
  DeliveryBench bench(R"({"retry":{"maxAttempts":2}})");
  const auto forwarder = bench.forwarder();
  bench.http.follow(failing("a1", 408));
  bench.append("a1", "a");
  bench.append("a2", "a");
  forwarder->work();
  bench.clock.advance(3s);
  forwarder->work();

  CHECK(bench.sent() == Ids{"a1", "a1", "a2"});
  CHECK(bench.dead().size() == 1);
  CHECK(bench.dead()[0].attempts == 2);
}

TEST_CASE("a destination that fails five times is probed, and one success releases all",
          "[delivery]") {
  DeliveryBench bench(R"({"concurrency":1})");
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(503));
  for (int i = 0; i < 20; ++i) {
    bench.append("e" + std::to_string(i), "u" + std::to_string(i));
  }
  forwarder->work();

  CHECK(bench.sent().size() == 5);
  CHECK(forwarder->status()->state == Status::State::Held);
  CHECK(forwarder->status()->pending == 20);
  for (int i = 0; i < 4; ++i) {
    bench.clock.advance(40s);
    forwarder->work();
  }
  CHECK(bench.sent().size() == 9);
  CHECK(bench.sent().back() < "e5");  // the probes are events that have failed before
  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(80s);
  forwarder->work();

  CHECK(forwarder->status()->state == Status::State::Running);
  CHECK(forwarder->status()->pending == 0);
  CHECK(forwarder->status()->delivered == 20);
}

TEST_CASE("Retry-After holds the whole destination, over a restart too", "[delivery]") {
  DeliveryBench bench;
  auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(429, {{"retry-after", "120"}}));
  bench.append("a", "u1");
  bench.append("b", "u2");
  forwarder->work();

  CHECK(bench.sent() == Ids{"a"});
  CHECK(forwarder->status()->state == Status::State::Held);
  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(60s);
  forwarder = bench.forwarder();
  CHECK(forwarder->status()->state == Status::State::Held);
  forwarder->work();
  CHECK(bench.sent() == Ids{"a"});
  bench.clock.advance(61s);
  forwarder->work();

  CHECK(bench.sent() == Ids{"a", "a", "b"});
}

TEST_CASE("refused credentials pause the destination and lose nothing", "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(401));
  bench.append("a", "u1");
  bench.append("b", "u2");
  forwarder->work();

  CHECK(bench.sent() == Ids{"a"});
  CHECK(forwarder->status()->state == Status::State::Paused);
  CHECK(forwarder->status()->pending == 2);
  CHECK(bench.rows().empty());
  bench.clock.advance(301s);
  forwarder->work();
  CHECK(bench.sent() == Ids{"a", "a"});
  bench.http.follow(ScriptedHttp::answering(200));
  bench.configure(R"({"headers":{"x-api-key":"better"}})");
  forwarder->work();

  CHECK(bench.sent() == Ids{"a", "a", "a", "b"});
  CHECK(forwarder->status()->state == Status::State::Running);
}

TEST_CASE("resuming tries refused credentials at once, and so does another secret", "[delivery]") {
  DeliveryBench bench;
  bench.secrets["KEY"] = "one";
  bench.configure(R"({"headers":{"x-key":{"secret":"KEY"}}})");
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(401));
  bench.append("a", "u1");
  forwarder->work();
  forwarder->work();
  REQUIRE(bench.sent() == Ids{"a"});

  REQUIRE(bench.destinations.set_switch("hook", destinations::Switch::On));
  forwarder->work();
  CHECK(bench.sent() == Ids{"a", "a"});
  bench.secrets["KEY"] = "other";
  REQUIRE(bench.destinations.refresh());
  forwarder->work();
  CHECK(bench.sent() == Ids{"a", "a", "a"});
}

TEST_CASE("a destination gets of an address what it may", "[delivery]") {
  const auto [settings, left] = GENERATE(
      table<std::string, std::string>({{R"({"ip":"full"})", R"("ip":"203.0.113.9")"},
                                       {R"({"ip":"truncate"})", R"("ip":"203.0.113.0")"},
                                       {R"({"ip":"none"})", R"("context":{"locale":"de"})"}}));
  DeliveryBench bench(settings);
  const auto forwarder = bench.forwarder();
  bench.append_event(
      R"({"type":"track","event":"e","messageId":"a","userId":"u","context":{"ip":"203.0.113.9","locale":"de"}})",
      "a",
      "u");

  forwarder->work();

  REQUIRE(bench.http.requests().size() == 1);
  CHECK(bench.http.requests()[0].body.find(left) != std::string::npos);
}

TEST_CASE("a destination that is gone is disabled", "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(410));
  bench.append("a", "u1");
  bench.append("b", "u2");
  forwarder->work();

  CHECK(bench.sent() == Ids{"a"});
  CHECK(bench.disabled == Ids{"hook"});
  CHECK(bench.dead().at(0).reason == "gone");
  CHECK(forwarder->status()->state == Status::State::Disabled);
}

TEST_CASE("a paused destination keeps its cursor and counts what waits exactly", "[delivery]") {
  DeliveryBench bench;
  REQUIRE(bench.destinations.set_switch("hook", destinations::Switch::Paused));
  const auto forwarder = bench.forwarder();
  for (int i = 0; i < 10; ++i) {
    bench.append("e" + std::to_string(i), "u", i % 2 == 0 ? 1 : 2);
    CHECK(forwarder->status()->pending == static_cast<std::uint64_t>(i / 2 + 1));
  }
  forwarder->work();

  CHECK(bench.sent().empty());
  CHECK(forwarder->status()->state == Status::State::Paused);
  CHECK(forwarder->status()->pending == 5);
  REQUIRE(bench.destinations.set_switch("hook", destinations::Switch::On));
  forwarder->work();
  CHECK(bench.sent().size() == 5);
}

TEST_CASE("events that waited longer than maxAge are dead", "[delivery]") {
  DeliveryBench bench(R"({"retry":{"maxAgeMs":60000}})");
  bench.append("a", "u1");
  bench.clock.advance(61s);
  bench.append("b", "u2");

  bench.forwarder()->work();

  CHECK(bench.sent() == Ids{"b"});
  REQUIRE(bench.dead().size() == 1);
  CHECK(bench.dead()[0].reason == "expired");
  CHECK(bench.dead()[0].attempts == 0);
}

TEST_CASE("an event that expires while it waits keeps its last answer", "[delivery]") {
  DeliveryBench bench(R"({"retry":{"maxAgeMs":60000}})");
  bench.append("a", "u1");
  bench.http.follow([](const transport::OutgoingRequest&) {
    return transport::IncomingResponse{.status = 503, .body = "out of order"};
  });
  bench.forwarder()->work();
  bench.clock.advance(61s);

  bench.forwarder()->work();

  REQUIRE(bench.dead().size() == 1);
  CHECK(bench.dead()[0].reason == "expired");
  CHECK(bench.dead()[0].attempts == 1);
  CHECK(bench.dead()[0].status == 503);
  CHECK(bench.dead()[0].response == "out of order");
}

TEST_CASE("a batch that is refused is halved until the bad event is alone", "[delivery]") {
  DeliveryBench bench(R"({"batch":8})");
  const auto forwarder = bench.forwarder();
  bench.http.follow(failing("e5", 422));
  for (int i = 0; i < 8; ++i) {
    bench.append("e" + std::to_string(i), "u");
  }
  forwarder->work();

  CHECK(forwarder->status()->delivered == 7);
  REQUIRE(bench.dead().size() == 1);
  CHECK(bench.dead()[0].reason == "http_422");
  CHECK(bench.cursor() == 8);
}

TEST_CASE("a batch waits for more events as long as it may linger", "[delivery]") {
  DeliveryBench bench(R"({"batch":3,"lingerMs":500})");
  const auto forwarder = bench.forwarder();
  bench.append("a", "u");
  bench.append("b", "u");
  forwarder->work();
  CHECK(bench.http.requests().empty());
  bench.append("c", "u");
  forwarder->work();
  CHECK(bench.http.requests().size() == 1);
  bench.append("d", "u");
  forwarder->work();
  bench.clock.advance(500ms);
  forwarder->work();

  CHECK(bench.http.requests().size() == 2);
}

TEST_CASE("a forwarder that ends when idle lets no batch wait", "[delivery]") {
  DeliveryBench bench(R"({"batch":3,"lingerMs":500})");
  const auto forwarder = bench.forwarder();
  bench.append("a", "u");

  forwarder->work_off();
  bench.append("b", "u");
  forwarder->work();

  CHECK(bench.http.requests().size() == 1);
  CHECK(forwarder->status()->delivered == 1);
}

TEST_CASE("requests keep the rate of the destination", "[delivery]") {
  DeliveryBench bench(R"({"rate":"2/s"})");
  const auto forwarder = bench.forwarder();
  for (int i = 0; i < 5; ++i) {
    bench.append("e" + std::to_string(i), "u" + std::to_string(i));
  }
  forwarder->work();
  CHECK(bench.sent().size() == 1);
  bench.clock.advance(1s);
  forwarder->work();
  bench.clock.advance(500ms);
  forwarder->work();

  CHECK(bench.sent().size() == 3);
}

TEST_CASE("a restart goes on where the last commit was", "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");
  bench.append("b", "u2");
  auto forwarder = bench.forwarder();
  forwarder->work();
  bench.append("c", "u1");

  forwarder = bench.forwarder();
  CHECK(forwarder->status()->delivered == 2);
  CHECK(forwarder->status()->pending == 1);
  forwarder->work();

  CHECK(bench.sent() == Ids{"a", "b", "c"});
}

TEST_CASE("while settlements cannot be stored nothing more is sent", "[delivery]") {
  DeliveryBench bench(R"({"concurrency":1})");
  for (int i = 0; i < 5; ++i) {
    bench.append("e" + std::to_string(i), "u" + std::to_string(i));
  }
  auto forwarder = bench.forwarder();
  bench.store.refuse_commits(Error{ErrorCode::Unavailable, "full", "", "full"});
  forwarder->work();
  CHECK(bench.sent() == Ids{"e0"});

  bench.store.refuse_commits(std::nullopt);
  forwarder = bench.forwarder();
  forwarder->work();

  CHECK(bench.sent() == Ids{"e0", "e0", "e1", "e2", "e3", "e4"});
}

TEST_CASE("a commit that failed is repeated and counts once", "[delivery]") {
  DeliveryBench bench;
  bench.append("a", "u1");
  bench.append("b", "u2");
  const auto forwarder = bench.forwarder();
  bench.store.refuse_commits(Error{ErrorCode::Unavailable, "full", "", "full"});
  forwarder->work();
  bench.store.refuse_commits(std::nullopt);
  forwarder->work();

  CHECK(bench.sent() == Ids{"a", "b"});
  CHECK(forwarder->status()->delivered == 2);
  CHECK(bench.cursor() == 2);
}

}  // namespace
}  // namespace edge::delivery
