// SPDX-License-Identifier: MIT
#include "core/webhooks/taken_calls.h"

#include <catch2/catch.hpp>

namespace edge::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

TEST_CASE("a call that comes again gets the first answer while its signature is good",
          "[webhooks]") {
  TakenCalls calls;
  calls.note("shop", "m1", "first", kStart + 10s);
  calls.note("shop", "m1", "second", kStart + 20s);

  CHECK(calls.answer_to("shop", "m1", kStart) == "first");
  CHECK_FALSE(calls.answer_to("shop", "m2", kStart));
  CHECK_FALSE(calls.answer_to("other", "m1", kStart));
  CHECK_FALSE(calls.answer_to("shop", "m1", kStart + 10s));
}

TEST_CASE("of more calls than are kept the oldest is forgotten", "[webhooks]") {
  TakenCalls calls;
  for (std::size_t i = 0; i <= TakenCalls::kMost; ++i) {
    calls.note("shop", "m" + std::to_string(i), "taken", kStart + 10s);
  }

  CHECK_FALSE(calls.answer_to("shop", "m0", kStart));
  CHECK(calls.answer_to("shop", "m1", kStart));
}

}  // namespace
}  // namespace edge::webhooks
