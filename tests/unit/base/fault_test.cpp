// SPDX-License-Identifier: MIT
#include "core/base/fault.h"

#include <catch2/catch.hpp>
#include <cerrno>

TEST_CASE("an armed fault point fails at the named passage only", "[base]") {
  REQUIRE(edge::fault::arm("log.before_commit:2:enospc"));

  CHECK(EDGE_FAULT("log.before_commit") == 0);
  CHECK(EDGE_FAULT("log.after_commit") == 0);
  CHECK(EDGE_FAULT("log.before_commit") == ENOSPC);
  CHECK(EDGE_FAULT("log.before_commit") == 0);

  REQUIRE(edge::fault::arm(""));
}

TEST_CASE("a fault with a plus stays until it is taken back", "[base]") {
  REQUIRE(edge::fault::arm("apply.before_commit:1+:eio,log.before_commit:error"));

  CHECK(EDGE_FAULT("apply.before_commit") == EIO);
  CHECK(EDGE_FAULT("apply.before_commit") == EIO);
  CHECK(EDGE_FAULT("log.before_commit") == EIO);
  REQUIRE(edge::fault::arm(""));
  CHECK(EDGE_FAULT("apply.before_commit") == 0);
}

TEST_CASE("a fault that cannot be read is refused", "[base]") {
  for (const char* text : {"nowhere:kill",
                           "log.before_commit:0",
                           "log.before_commit:explode",
                           "log.before_commit:-1"}) {
    INFO(text);
    CHECK_FALSE(edge::fault::arm(text));
  }
}
