// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <string>

#include "tests/cli/command_group.h"

using edge::test::contains;

namespace {

/// `edgectl state …`.
struct State : edge::test::CommandGroup {
  explicit State(bool remote) : CommandGroup("state", remote) {}
};

}  // namespace

TEST_CASE("state is put, got, shown, listed and deleted, here and through a daemon",
          "[cli][state]") {
  const State state(GENERATE(false, true));

  CHECK(contains(state.out({"put", "shop", "a/b c", R"({"n": 1.50})", "--format", "json"}),
                 R"("schema": "edge.state-put/1")"));
  state.out({"put", "shop", "b", "--ttl", "1h"}, " [1, 2] \n");
  CHECK(state.out({"get", "shop", "a/b c"}) == "{\"n\": 1.50}\n");
  CHECK(state.out({"get", "shop", "b"}) == "[1, 2]\n");
  CHECK(contains(state.out({"show", "shop", "b", "--format", "json"}), "\"expiresAt\": "));
  CHECK(contains(state.out({"list", "shop", "--limit", "1", "--format", "json"}), "\"a/b c\""));
  CHECK(contains(state.out({"list", "shop", "--reverse", "--limit", "1", "--format", "json"}),
                 "\"key\": \"b\""));
  CHECK(contains(state.refusal({"put", "shop", "b", "3", "--if-version", "0"}), "the version is "));
  state.out({"put", "shop", "c", "3", "--if-version", "0"});
  CHECK(contains(state.refusal({"delete", "shop", "c", "--if-version", "999999"}),
                 "the version is "));
  state.out({"delete", "shop", "c"});
  CHECK(contains(state.run({"delete", "shop", "c"}).err, "there was no key"));
  CHECK(state.refusal({"get", "shop", "c"}).starts_with("5 "));
  CHECK(state.refusal({"show", "elsewhere", "b"}).starts_with("5 "));
}

TEST_CASE("what is wrong with a command for state is named", "[cli][state]") {
  const State state(false);

  CHECK(contains(state.refusal({"put", "no/space", "k", "1"}), "\"no/space\" is no namespace"));
  CHECK(contains(state.refusal({"put", "n", "", "1"}), "a key has 1 to 2048 octets"));
  CHECK(contains(state.refusal({"put", "n", "k", "text"}), "a text is written \"so\""));
  CHECK(contains(state.refusal({"put", "n", "k", "1", "--if-version", "-1"}), "from 0 on"));
  CHECK(contains(state.refusal({"list", "n", "--limit", "0"}), "--limit is too small"));
  CHECK(contains(state.run({"put", "n", "k", "1", "-n"}).err, "would write \"k\""));
  CHECK(state.refusal({"get", "n", "k"}).starts_with("5 "));
}
