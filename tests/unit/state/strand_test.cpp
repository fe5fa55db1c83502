// SPDX-License-Identifier: MIT
#include "core/state/strand.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace edge;
using state::Strand;
using state::StrandThreads;

TEST_CASE("tasks of a strand run one after the other in their order", "[state]") {
  StrandThreads threads(4);
  const auto strand = threads.make();
  std::vector<int> seen;  // no lock: that is the point
  std::promise<void> last;

  {
    std::vector<std::jthread> posting;
    for (int p = 0; p < 4; ++p) {
      posting.emplace_back([&strand, &seen, p] {
        for (int i = 0; i < 500; ++i) {
          strand->post([&seen, p, i] { seen.push_back(p * 1000 + i); });
        }
      });
    }
  }
  strand->post([&] { last.set_value(); });
  last.get_future().wait();

  REQUIRE(seen.size() == 2'000);
  for (int p = 0; p < 4; ++p) {
    int expected = p * 1000;
    for (const int one : seen) {
      if (one / 1000 == p) {
        CHECK(one == expected++);
      }
    }
  }
}

TEST_CASE("a strand that is busy holds up no other, and a fault no later task", "[state]") {
  StrandThreads threads(2);
  const auto busy = threads.make();
  const auto other = threads.make();
  std::promise<void> go;
  std::promise<void> done;
  busy->post([&] { go.get_future().wait(); });

  other->post([] { throw std::runtime_error("a fault"); });
  other->post([&] { done.set_value(); });
  done.get_future().wait();
  go.set_value();

  CHECK(threads.faults() == 1);
}

TEST_CASE("stopping ends what runs and drops what waits; later tasks are dropped too", "[state]") {
  StrandThreads threads(1);
  const auto strand = threads.make();
  std::promise<void> begun;
  std::promise<void> go;
  std::atomic<int> ran = 0;
  const auto held = std::make_shared<int>(0);
  strand->post([&] {
    begun.set_value();
    go.get_future().wait();
    ++ran;
  });
  begun.get_future().wait();
  std::jthread stopping([&] { threads.stop(); });
  go.set_value();
  stopping.join();

  strand->post([held, &ran] { ++ran; });

  CHECK(held.use_count() == 1);
  CHECK(ran == 1);
}
