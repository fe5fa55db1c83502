// SPDX-License-Identifier: MIT
// Flags for the console and for `edgectl … --url`.
#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/flag_daemon.h"

using edge::test::FlagDaemon;
using edge::test::holds;

TEST_CASE("flags are decided, listed and shown as the commands print them", "[flags_api]") {
  const FlagDaemon daemon;

  const auto decided = daemon.manage("POST", "/api/decide", R"({"userId":"u","key":"offer"})");
  CHECK(holds(decided.body, "/schema", R"("edge.decide/1")"));
  CHECK(holds(daemon.manage("GET", "/api/flags").body, "/schema", R"("edge.flags/1")"));
  CHECK(holds(daemon.manage("GET", "/api/flags/offer").body, "/key", R"("offer")"));
  CHECK(daemon.manage("GET", "/api/flags/ghost").status == 404);
  CHECK(daemon.send("GET", "/api/flags", "").status == 401);
}

TEST_CASE("an invalid datafile is refused and changes nothing", "[flags_api]") {
  const FlagDaemon daemon;

  const auto refused = daemon.manage("PUT", "/api/flags/datafile", R"({"version":4})");
  CHECK(refused.status == 400);
  CHECK(holds(refused.body, "/code", R"("invalid_datafile")"));
  CHECK(daemon.edge->flags.datafile()->revision == "9");
  const auto taken =
      daemon.manage("PUT", "/api/flags/datafile", R"({"version":"4","revision":"10"})");
  CHECK(holds(taken.body, "/changed", "true"));
  CHECK(daemon.edge->flags.datafile()->revision == "10");
}
