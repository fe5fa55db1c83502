// SPDX-License-Identifier: MIT
#include "core/accounts/hash_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>

#include "tests/support/fakes.h"

namespace edge::accounts {
namespace {

TEST_CASE("at most 32 jobs wait for the hash threads, and none longer than two seconds",
          "[accounts][threat-25]") {
  test::FakeClock clock;
  std::atomic<int> in_time = 0;
  std::atomic<int> late = 0;
  std::latch running(1);
  std::latch go_on(1);
  {
    HashPool pool(clock, 1);
    REQUIRE(pool.submit([&](bool) {
      running.count_down();
      go_on.wait();
    }));
    running.wait();
    for (int i = 0; i < 32; ++i) {
      REQUIRE(pool.submit([&](bool soon) { ++(soon ? in_time : late); }));
    }

    const auto refused = pool.submit([](bool) {});

    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::Unavailable);
    CHECK(refused.error().retry_after == std::chrono::seconds(1));
    clock.advance(std::chrono::milliseconds(2001));
    go_on.count_down();
  }
  CHECK(in_time == 0);
  CHECK(late == 32);
}

}  // namespace
}  // namespace edge::accounts
