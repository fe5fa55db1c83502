// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/group_queue.h"

#include <catch2/catch.hpp>

namespace edge::storage::sqlite {
namespace {

struct Job {
  Load load = {};
};

TEST_CASE("a full queue refuses new jobs, but not what goes on with a begun one", "[storage]") {
  GroupQueue<Job> queue({.items = 10, .bytes = 100}, {.items = 10, .bytes = 100});
  Job first{.load = {.items = 8, .bytes = 1}};
  Job second{.load = {.items = 3, .bytes = 1}};
  REQUIRE(queue.try_push(first));

  CHECK_FALSE(queue.try_push(second));
  CHECK(queue.try_push(second, false));
  CHECK(queue.waiting() == 11);
}

}  // namespace
}  // namespace edge::storage::sqlite
