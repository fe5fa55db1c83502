// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

#include "core/base/bounded_queue.h"
#include "core/base/id.h"
#include "core/base/random.h"
#include "core/base/snapshot.h"
#include "tests/support/fakes.h"

using namespace std::chrono_literals;

TEST_CASE("a full queue refuses and leaves the value with the caller", "[base]") {
  edge::BoundedQueue<std::unique_ptr<int>> queue(1);
  auto kept = std::make_unique<int>(2);

  REQUIRE(queue.try_push(std::make_unique<int>(1)));
  CHECK_FALSE(queue.try_push(std::move(kept)));

  CHECK(kept != nullptr);  // NOLINT(bugprone-use-after-move): that is the promise
  CHECK(**queue.try_pop() == 1);
}

TEST_CASE("a waiting reader ends when the queue closes or a stop is asked for", "[base]") {
  edge::BoundedQueue<int> queue(4);
  std::stop_source stop;
  std::jthread closer([&] { queue.close(); });

  CHECK_FALSE(queue.pop(stop.get_token()));
  stop.request_stop();
  CHECK_FALSE(queue.pop(stop.get_token()));
  CHECK_FALSE(queue.try_push(1));
}

TEST_CASE("snapshot readers see what was published last", "[base]") {
  edge::Snapshot<int> snapshot(std::make_shared<const int>(1));
  edge::Snapshot<int>::Reader reader(snapshot);
  const auto old = reader.get();

  snapshot.publish(std::make_shared<const int>(2));

  CHECK(*reader.get() == 2);
  CHECK(*old == 1);
}

TEST_CASE("uuids are version 4 and event ids carry their prefix", "[base]") {
  edge::SystemRandom random;
  edge::Ids ids(random);
  const std::string uuid = ids.uuid();

  REQUIRE(uuid.size() == 36);
  CHECK(uuid[14] == '4');
  CHECK(uuid != ids.uuid());
  CHECK(ids.event_id().text.starts_with("edge-"));
  CHECK(edge::test::SequenceIds().uuid() == "00000000-0000-4000-8000-000000000001");
}

TEST_CASE("random numbers below a bound stay below it and repeat by seed", "[base]") {
  edge::SeededRandom first(7);
  edge::SeededRandom second(7);

  for (int i = 0; i < 1000; ++i) {
    const auto value = first.below(10);
    CHECK(value < 10);
    CHECK(value == second.below(10));
  }
}
