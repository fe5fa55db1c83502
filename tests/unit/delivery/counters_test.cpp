// SPDX-License-Identifier: MIT
// What is counted of deliveries, for how long, and what the operator may bound.
#include "core/delivery/counters.h"

#include <catch2/catch.hpp>

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::ScriptedHttp;

Happened since(DeliveryBench& bench, std::chrono::milliseconds ago) {
  return happened_since(bench.store, "hook", bench.clock.now() - ago).value();
}

}  // namespace

TEST_CASE("what happened since a moment is told in steps of ten minutes, for a month",
          "[delivery]") {
  DeliveryBench bench;
  const auto forwarder = bench.forwarder();
  bench.append("a", "u1");
  bench.append("b", "u2");
  forwarder->work();
  bench.clock.advance(1h);
  bench.http.follow(failing("c", 400));
  bench.append("c", "u3");
  bench.append("d", "u4");
  forwarder->work();

  CHECK(since(bench, 2h).delivered == 3);
  CHECK(since(bench, 2h).attempts == 4);
  CHECK(since(bench, 30min).delivered == 1);
  CHECK(since(bench, 30min).dead == 1);
  CHECK(since(bench, 0s).delivered == 1);  // the step that this moment lies in
  CHECK(happened_since(bench.store, "other", {})->attempts == 0);
  bench.clock.advance(24h * 31);
  CHECK(since(bench, 24h * 40).delivered == 1);
  bench.clock.advance(10min);
  CHECK(since(bench, 24h * 40).attempts == 0);
  CHECK(forwarder->status()->delivered == 3);
}

TEST_CASE("a month's steps are more than one page of the store", "[delivery]") {
  DeliveryBench bench;
  for (int step = 0; step < 1'200; ++step) {
    storage::Batch batch;
    add_count(batch, "hook", Count::Delivered, 2, bench.clock.store_now());
    REQUIRE(bench.store.commit(std::move(batch), DeliveryBench::soon()));
    bench.clock.advance(kCountStep);
  }

  CHECK(since(bench, 24h * 30).delivered == 2'400);
}

TEST_CASE("dead letters stay as long as the operator wants", "[delivery]") {
  DeliveryBench bench;
  bench.limits.letters_kept = 2h;
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(400));
  bench.append("a", "u1");
  forwarder->work();

  bench.clock.advance(1h);
  CHECK(bench.dead().size() == 1);
  bench.clock.advance(1h);
  CHECK(bench.dead().empty());
}

TEST_CASE("with too many parked events the log is read no further", "[delivery]") {
  DeliveryBench bench(R"({"ordering":"user"})");
  bench.limits.parked = 3;
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(503));
  for (const char* id : {"a", "b", "c"}) {
    bench.append(id, "u1");
  }
  forwarder->work();
  REQUIRE(bench.rows().size() == 3);
  const std::uint64_t before = bench.cursor();

  bench.append("d", "u1");
  forwarder->work();

  CHECK(bench.rows().size() == 3);
  CHECK(bench.cursor() == before);
  CHECK(forwarder->status()->pending == 4);
  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(10s);
  forwarder->work();
  CHECK(bench.cursor() == before + 1);
  CHECK(forwarder->status()->delivered == 4);
}

}  // namespace edge::delivery
