// SPDX-License-Identifier: MIT
#include "core/delivery/gate.h"

#include <catch2/catch.hpp>

#include "tests/support/fakes.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;

struct GateBench {
  void fail(bool is_probe) {
    gate.learn(
        {.effect = Gate::Effect::Failing, .was_probe = is_probe}, policy, random, clock.steady());
  }
  [[nodiscard]] std::chrono::milliseconds closed_for() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(gate.opens_at() - clock.steady());
  }

  test::FakeClock clock;
  SeededRandom random{3};
  destinations::RetryPolicy policy;  // base 2 s
  Gate gate;
};

TEST_CASE("requests that were under way when the gate closed raise no step", "[delivery]") {
  GateBench bench;

  for (int i = 0; i < 20; ++i) {
    bench.fail(false);
  }

  CHECK(bench.gate.state() == Gate::State::Held);
  CHECK(bench.closed_for() <= 2'400ms);
}

TEST_CASE("each probe in vain doubles the hold, the first success ends it", "[delivery]") {
  GateBench bench;
  for (int i = 0; i < 5; ++i) {
    bench.fail(false);
  }

  for (const std::chrono::milliseconds nominal : {4'000ms, 8'000ms, 16'000ms}) {
    bench.clock.advance(20s);
    bench.fail(true);
    CHECK(bench.closed_for() >= nominal * 4 / 5);
    CHECK(bench.closed_for() <= nominal * 6 / 5);
  }
  CHECK(bench.gate.learn({}, bench.policy, bench.random, bench.clock.steady()));
  CHECK(bench.gate.state() == Gate::State::Open);
}

}  // namespace
}  // namespace edge::delivery
