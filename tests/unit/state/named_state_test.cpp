// SPDX-License-Identifier: MIT
#include "core/state/named_state.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace edge {
namespace {

using namespace std::chrono_literals;
using state::NamedState;
using state::Operation;
using Kind = Operation::Kind;

struct World {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  NamedState state{store, clock};

  /// The version after it; 0 when a check failed.
  std::uint64_t put(const std::string& key,
                    const std::string& value,
                    std::optional<std::int64_t> ttl = {}) {
    const auto done =
        state.apply("n", {{.kind = Kind::Put, .key = key, .value = value, .ttl = ttl}});
    REQUIRE(done);
    return done->outcomes.back().version;
  }
  std::string value(const std::string& key) {
    const auto entry = state.read("n", key);
    REQUIRE(entry);
    return *entry ? (*entry)->value : "(none)";
  }
  Result<state::Applied> increment(const std::string& key, std::int64_t by = 1) {
    return state.apply("n", {{.kind = Kind::Increment, .key = key, .by = by, .initial = 10}});
  }
  std::string keys(state::StateQuery query) {
    std::string out;
    do {
      const auto page = state.list("n", query);
      REQUIRE(page);
      for (const auto& entry : page->entries) {
        out += entry.key + " ";
      }
      query.cursor = page->cursor;
    } while (!query.cursor.empty());
    return out;
  }
};

std::string reason(const Result<state::Applied>& applied) {
  return applied ? "ok" : applied.error().reason;
}

}  // namespace

TEST_CASE("versions of a namespace rise with each change and mark who came late", "[state]") {
  World world;
  const auto first = world.put("a", "1");
  const auto second = world.put("b", R"({"x": 1.50})");
  CHECK(second > first);
  CHECK(world.value("b") == R"({"x": 1.50})");
  const auto change = [&](std::uint64_t version, const std::string& key = "a") {
    return *world.state.apply("n",
                              {{.kind = Kind::Check, .key = key, .version = version},
                               {.kind = Kind::Put, .key = key, .value = "2"}});
  };

  const auto late = change(first + 100);
  CHECK(late.mismatch->failed == 0);
  CHECK(late.mismatch->version == first);
  CHECK(world.value("a") == "1");
  CHECK_FALSE(change(first).mismatch);
  CHECK(change(0).mismatch->version > second);
  CHECK_FALSE(change(0, "new").mismatch);
  CHECK(change(5, "absent").mismatch->version == 0);
}

TEST_CASE("a key is removed, where a version is given only with that one", "[state]") {
  World world;
  const auto version = world.put("a", "1");

  CHECK(world.state.erase("n", "a", version + 1)->mismatch->version == version);
  CHECK(world.state.erase("n", "a", 0)->mismatch->version == version);
  CHECK(world.value("a") == "1");
  CHECK_FALSE(world.state.erase("n", "a", version)->outcomes.empty());
  CHECK(world.value("a") == "(none)");
  CHECK(world.state.erase("n", "a", version)->mismatch->version == 0);
  CHECK(world.state.erase("n", "a", {})->outcomes.empty());
  world.put("a", "2");
  CHECK_FALSE(world.state.erase("n", "a", {})->outcomes.empty());
  CHECK(reason(world.state.erase("n", "", {})) == "bad_key");
}

TEST_CASE("an error of one change names its member, not a place in a list", "[state]") {
  World world;
  const auto version = world.put("a", "1");

  const auto changed =
      world.state.change("n", version, {.kind = Kind::Put, .key = "a", .value = "2", .ttl = 0});

  CHECK(changed.error().field == "/ttl");
  CHECK(world.state.touch("n", "a", 0).error().field == "/ttl");
  CHECK(world.value("a") == "1");
}

TEST_CASE("what has ended is absent for reads, lists and checks", "[state]") {
  World world;
  world.put("a", "1", 2);
  world.clock.advance(1'999ms);
  CHECK(world.value("a") == "1");
  world.clock.advance(1ms);

  CHECK(world.value("a") == "(none)");
  CHECK(world.keys({}).empty());
  CHECK_FALSE(world.state
                  .apply("n",
                         {{.kind = Kind::Check, .key = "a", .version = 0},
                          {.kind = Kind::Put, .key = "a", .value = "2"}})
                  ->mismatch);
  REQUIRE(world.state.touch("n", "a", 5));
  world.clock.advance(4s);
  REQUIRE(*world.state.touch("n", "a", 5));
  world.clock.advance(4s);
  CHECK(world.value("a") == "2");
  world.clock.advance(1s);
  CHECK_FALSE(world.state.touch("n", "a", 5)->has_value());
}

TEST_CASE("counters begin at their first value, keep their time and stay within 2^53", "[state]") {
  World world;
  CHECK(world.increment("c")->outcomes[0].value == "11");
  CHECK(world.increment("c", -20)->outcomes[0].value == "-9");
  world.put("d", "1", 5);
  REQUIRE(world.increment("d"));
  world.clock.advance(5s);
  CHECK(world.value("d") == "(none)");
  world.put("c", std::to_string(state::kMaxInteger));
  CHECK(reason(world.increment("c")) == "not_an_integer");
  CHECK(reason(world.increment("c", -1)) == "ok");
  CHECK(reason(world.increment("c", state::kMaxInteger + 1)) == "not_an_integer");
  world.put("c", "1.5");
  CHECK(reason(world.increment("c")) == "not_an_integer");
  CHECK(world.value("c") == "1.5");
}

TEST_CASE("a transaction is all or nothing and names the check that failed", "[state]") {
  World world;
  const auto version = world.put("a", "1");
  const std::vector<Operation> steps{{.kind = Kind::Check, .key = "a", .version = version},
                                     {.kind = Kind::Put, .key = "b", .value = "[1]"},
                                     {.kind = Kind::Increment, .key = "a", .by = 5},
                                     {.kind = Kind::Increment, .key = "a"},
                                     {.kind = Kind::Delete, .key = "gone"}};

  const auto done = world.state.apply("n", steps);
  REQUIRE(done);
  REQUIRE(done->outcomes.size() == 5);
  CHECK(done->outcomes[2].value == "6");
  CHECK(done->outcomes[3].value == "7");
  CHECK(done->outcomes[3].version > version);
  CHECK(done->outcomes[4].version == 0);
  CHECK(world.value("a") == "7");

  std::vector<Operation> late{{.kind = Kind::Put, .key = "b", .value = "2"},
                              {.kind = Kind::Check, .key = "gone", .version = 0}};
  late.insert(late.end(), steps.begin(), steps.end());
  const auto refused = world.state.apply("n", late);
  CHECK(refused->mismatch->failed == 2);
  CHECK(world.value("b") == "[1]");
}

TEST_CASE("lists keep their bounds in both orders, page by page", "[state]") {
  World world;
  for (const char* key : {"a", "b", "b1", "b2", "c"}) {
    world.put(key, "0");
  }
  const std::size_t limit = GENERATE(1U, 2U, 100U);

  CHECK(world.keys({.limit = limit}) == "a b b1 b2 c ");
  CHECK(world.keys({.reverse = true, .limit = limit}) == "c b2 b1 b a ");
  CHECK(world.keys({.prefix = "b", .limit = limit}) == "b b1 b2 ");
  CHECK(world.keys({.start = "b", .end = "b2", .limit = limit}) == "b b1 ");
  CHECK(world.keys({.start_after = "b", .end = "c", .reverse = true, .limit = limit}) == "b2 b1 ");
  CHECK(world.keys({.prefix = "b", .start = "b1", .limit = limit}) == "b1 b2 ");
  CHECK(world.keys({.start = "x", .limit = limit}).empty());
  CHECK(world.keys({.prefix = "b", .end = "a", .limit = limit}).empty());
  CHECK(world.state.list("n", {.cursor = "!"}).error().reason == "bad_cursor");
}

TEST_CASE("names and values that do not fit are refused by name", "[state]") {
  World world;
  const auto put = [&](const std::string& space, const std::string& key, const std::string& value) {
    return reason(world.state.apply(space, {{.kind = Kind::Put, .key = key, .value = value}}));
  };

  CHECK(put("no/space", "k", "1") == "bad_namespace");
  CHECK(put("n", "", "1") == "bad_key");
  CHECK(put("n", std::string(2'049, 'k'), "1") == "bad_key");
  CHECK(put("n", std::string(2'048, 'k'), "1") == "ok");
  CHECK(put("n", "k", "nope") == "bad_value");
  const auto text = [](std::size_t octets) { return '"' + std::string(octets - 2, 'x') + '"'; };
  CHECK(put("n", "k", text(1'999'999)) == "ok");
  CHECK(put("n", "k", text(2'000'000)) == "value_too_large");
  CHECK(reason(world.state.apply("n", {})) == "too_many_operations");
  CHECK(reason(world.state.apply("n", std::vector<Operation>(129, {.key = "k"}))) ==
        "too_many_operations");
  CHECK(reason(world.state.apply("n", {{.kind = Kind::Put, .key = "k", .value = "1", .ttl = 0}})) ==
        "bad_ttl");
}

TEST_CASE("many who count one key at once lose nothing", "[state]") {
  World world;
  {
    std::vector<std::jthread> counting;
    for (int t = 0; t < 4; ++t) {
      counting.emplace_back([&world] {
        for (int i = 0; i < 100; ++i) {
          while (!world.increment("c")) {  // too busy: again
          }
        }
      });
    }
  }

  CHECK(world.value("c") == "410");
}

}  // namespace edge
