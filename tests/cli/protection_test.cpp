// SPDX-License-Identifier: MIT
#include "tests/cli/command_group.h"

using edge::test::contains;
using edge::test::Finished;
using edge::test::Sandbox;
using edge::test::Words;

namespace {

/// A store in which something can be lost, and two overlays of its configuration.
struct Protected {
  Protected() {
    sandbox.write("edge.toml",
                  "[env.production]\nprotected = true\n[env.staging]\nprotected = false\n");
    sandbox.write("event.json", R"({"type":"track","event":"E","userId":"u"})");
    REQUIRE(run({"kv", "put", "key", "value"}).exit == 0);
    REQUIRE(run({"replay", "--from", "event.json", "--to", "local"}).exit == 0);
  }
  [[nodiscard]] Finished run(Words words, const std::string& overlay = {}) const {
    if (!overlay.empty()) {
      words.insert(words.end(), {"--env", overlay});
    }
    return sandbox.edgectl(words);
  }

  Sandbox sandbox;
};

}  // namespace

TEST_CASE("a protected overlay is asked for its name before it is changed", "[cli]") {
  const Protected shop;
  const Words words =
      GENERATE(values<Words>({{"kv", "delete", "key"},
                              {"destination", "delete", "crm"},
                              {"queue", "purge", "orders"},
                              {"dlq", "discard", "1-1-crm"},
                              {"dlq", "retry", "--all"},
                              {"replay", "--from", "event.json", "--to", "local"}}));
  Words silent = words;
  silent.emplace_back("--no-input");

  for (const Words& asked : {words, silent}) {
    const Finished refused = shop.run(asked, "production");
    INFO(refused.err);
    CHECK(refused.exit == 2);
    CHECK(contains(refused.err, "--yes"));
  }
  CHECK(shop.run({"kv", "get", "key"}).out == "value");
}

TEST_CASE("a protected overlay is changed with --yes, looked at and rehearsed without", "[cli]") {
  const Protected shop;

  CHECK(shop.run({"replay", "--from", "store", "--to", "-"}, "production").exit == 0);
  CHECK(shop.run({"replay", "--from", "store", "--to", "local", "-n"}, "production").exit == 0);
  CHECK(shop.run({"kv", "delete", "key", "-n"}, "production").exit == 0);
  CHECK(shop.run({"kv", "put", "other", "value"}, "production").exit == 0);
  CHECK(shop.run({"kv", "delete", "other"}, "staging").exit == 0);
  CHECK(shop.run({"kv", "delete", "key", "--yes"}, "production").exit == 0);
  CHECK(shop.run({"kv", "get", "key"}).exit == 5);
}
