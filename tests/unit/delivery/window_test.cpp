// SPDX-License-Identifier: MIT
#include "core/delivery/window.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/base/random.h"

namespace edge::delivery {
namespace {

/// All go to number 0, every `every`th to number 1 too.
storage::Slice slice(std::uint64_t first, std::uint64_t last, std::uint64_t every = 1) {
  storage::Slice made{.reached = last};
  for (std::uint64_t offset = first; offset <= last; ++offset) {
    made.records.push_back(std::make_shared<const storage::Record>(
        storage::Record{.offset = offset, .routes = offset % every == 0 ? 3U : 1U}));
  }
  return made;
}

TEST_CASE("the cursor stops below the first open record", "[delivery]") {
  Window window;
  window.start({.offset = 10});

  CHECK(window.add(slice(11, 16), 1, {}).size() == 6);
  for (const std::uint64_t offset : {13, 11, 14}) {
    window.settle(offset);
  }

  CHECK(window.position().offset == 11);
  CHECK(window.position().ahead == std::vector<storage::Interval>{{13, 14}});
  CHECK(window.first_open() == 12);
  window.settle(12);
  CHECK(window.position().offset == 14);
  CHECK(window.position().ahead.empty());
  CHECK(window.open() == 2);
}

TEST_CASE("records for others do not hold the cursor and need no interval", "[delivery]") {
  Window window;
  window.start({});

  window.add(slice(1, 10, 2), 1, {});
  window.settle(4);
  window.settle(6);

  CHECK(window.position().offset == 1);
  CHECK(window.position().ahead == std::vector<storage::Interval>{{4, 6}});
  for (const std::uint64_t offset : {2, 8, 10}) {
    window.settle(offset);
  }
  CHECK(window.position().offset == 10);
  CHECK(window.open() == 0);
}

TEST_CASE("whatever was settled before a restart is never open again", "[delivery]") {
  SeededRandom random(3);
  for (int round = 0; round < 200; ++round) {
    Window window;
    window.start({});
    std::set<std::uint64_t> settled;
    window.add(slice(1, 40), 0, {});
    for (int i = 0; i < 25; ++i) {
      const std::uint64_t offset = random.below(40) + 1;
      window.settle(offset);
      settled.insert(offset);
    }
    Window again;
    again.start(window.position());

    const std::uint64_t from = again.reached() + 1;
    const auto opened = again.add(slice(from, 40), 0, {});

    CHECK(opened.size() == 40 - settled.size());
    for (const std::uint64_t offset : opened) {
      CHECK(settled.count(offset) == 0);
    }
  }
}

TEST_CASE("intervals that were not read again survive the next position", "[delivery]") {
  Window window;
  window.start({.offset = 1, .ahead = {{5, 6}, {9, 9}}});

  window.add(slice(2, 4), 0, {});
  window.settle(2);

  CHECK(window.position().offset == 2);
  CHECK(window.position().ahead == std::vector<storage::Interval>{{5, 6}, {9, 9}});
}

}  // namespace
}  // namespace edge::delivery
