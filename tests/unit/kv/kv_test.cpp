// SPDX-License-Identifier: MIT
#include "core/kv/kv.h"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/kv/store_of_keys.h"
#include "tests/unit/profiles/late_store.h"

namespace edge::kv {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20U;

/// Octets that differ from each other wherever they are cut.
std::string value_of(std::size_t size, char seed) {
  std::string value(size, seed);
  for (std::size_t i = 0; i < size; i += 4093) {
    value[i] = static_cast<char>(i / 4093 + static_cast<std::size_t>(seed));
  }
  return value;
}

std::string reason_of(const Result<void>& done) {
  return done ? "" : done.error().reason;
}

}  // namespace

TEST_CASE("a write replaces value, metadata and expiry together", "[kv]") {
  StoreOfKeys store(GENERATE("memory", "sqlite"));
  const std::int64_t later = to_ms(store.subject.clock.now()) + 100'000;
  REQUIRE(store.put("k", {"first", R"({"a":1})", later}));
  CHECK(store.get("k") == Entry{"first", R"({"a":1})", later});

  REQUIRE(store.put("k", {std::string("\0\xFF", 2)}));

  CHECK(store.get("k") == Entry{std::string("\0\xFF", 2), "", 0});
  CHECK(store.kv->describe(store.kCache, "k") == Entry{});
  CHECK_FALSE(store.get("k", store.kSessions));
  REQUIRE(store.kv->erase(store.kCache, {"k", "never there"}));
  CHECK(store.get("k").error().reason == "key_not_found");
  CHECK(store.count("kv_value") == 0);
}

TEST_CASE("an empty value is a value", "[kv]") {
  StoreOfKeys store("sqlite");
  REQUIRE(store.put("k", {}));
  CHECK(store.get("k") == Entry{});
}

TEST_CASE("values of every size come back whole, after a restart too", "[kv]") {
  StoreOfKeys store("sqlite");
  const std::size_t size =
      GENERATE(std::size_t{1}, 4 * kMib - 1, 4 * kMib, 4 * kMib + 1, 13 * kMib, kMaxValueBytes);
  REQUIRE(store.put("k", {value_of(size, 'a'), "[1]"}));
  store.reopen();
  CHECK(store.get("k") == Entry{value_of(size, 'a'), "[1]", 0});
}

TEST_CASE("what replaced and deleted big values leave behind is removed", "[kv]") {
  StoreOfKeys store(GENERATE("memory", "sqlite"));
  REQUIRE(store.put("k", {"small"}));
  REQUIRE(store.put("k", {value_of(9 * kMib, 'a')}));
  CHECK(store.count("kv_value") == 1);  // the small one, which nobody sees
  REQUIRE(store.kv->sweep());
  CHECK(store.count("kv_value") == 0);
  CHECK(store.get("k") == Entry{value_of(9 * kMib, 'a')});

  REQUIRE(store.put("k", {value_of(5 * kMib, 'b')}));
  CHECK(store.count("kv_part") == 2);  // the old one went with the write
  REQUIRE(store.put("k", {"small again"}));
  REQUIRE(store.put("gone", {value_of(5 * kMib, 'c')}));
  REQUIRE(store.kv->erase(store.kCache, {"gone"}));
  CHECK(store.count("kv_big", "") == 2);
  CHECK(store.kv->sweep() == 2);

  CHECK(store.count("kv_big", "") == 0);
  CHECK(store.count("kv_part") == 0);
  CHECK(store.get("k") == Entry{"small again"});
  CHECK(store.count("kv_value") == 1);
}

TEST_CASE("big values end at their time and leave nothing", "[kv]") {
  StoreOfKeys store("memory");
  REQUIRE(store.put("k", {"small"}));
  const std::int64_t end = to_ms(store.subject.clock.now()) + 60'000;
  REQUIRE(store.put("k", {value_of(5 * kMib, 'a'), "", end}));
  store.subject.clock.advance(std::chrono::milliseconds(59'999));
  CHECK(store.get("k"));
  store.subject.clock.advance(std::chrono::milliseconds(1));
  CHECK_FALSE(store.get("k"));
  CHECK(store.names().empty());
  REQUIRE(store.kv->sweep());
  CHECK(store.count("kv_value") == 0);  // the small one from before
  CHECK(store.count("kv_big", "") == 0);
}

TEST_CASE("a bulk of 10,000 entries and 100 MB is one transaction", "[kv]") {
  StoreOfKeys store("sqlite");
  const auto wide = value_of(9'000, 'w');
  const auto bulk = [&](const std::string& metadata) {
    std::vector<Write> writes;
    for (int i = 0; i < 10'000; ++i) {
      std::string key = fmt::format("{:0>5}", i);
      key.resize(kMaxKeyBytes, 'k');
      writes.push_back({key, {wide, metadata}});
    }
    return writes;
  };
  const std::string metadata = '"' + std::string(1'022, 'm') + '"';
  REQUIRE(store.kv->write(store.kCache, bulk(metadata)));

  CHECK(store.kv->list(store.kCache, {.limit = 1'000})->keys.size() == 1'000);
  std::string last = "09999";
  last.resize(kMaxKeyBytes, 'k');
  CHECK(store.get(last) == Entry{wide, metadata});

  SECTION("all of it or nothing") {
    auto writes = bulk("[2]");
    writes.back().key = "..";
    CHECK(reason_of(store.kv->write(store.kCache, std::move(writes))) == "bad_key");
    CHECK(store.get(last) == Entry{wide, metadata});
  }
  SECTION("all of it can be removed in one") {
    std::vector<std::string> keys;
    for (const Write& write : bulk("")) {
      keys.push_back(write.key);
    }
    REQUIRE(store.kv->erase(store.kCache, keys));
    CHECK(store.names().empty());
    keys.emplace_back("one more");
    CHECK(reason_of(store.kv->erase(store.kCache, keys)) == "too_many_keys");
  }
  SECTION("one more is refused") {
    auto writes = bulk("");
    writes.push_back({"one more", {}});
    CHECK(reason_of(store.kv->write(store.kCache, std::move(writes))) == "too_many_keys");
  }
}

TEST_CASE("a bulk that the store refuses leaves everything as it was", "[kv]") {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  SeededRandom random{1};
  Kv kv(memory, random, {{StoreOfKeys::kCache, "cache"}});
  REQUIRE(kv.write(StoreOfKeys::kCache, {{"a", {"1"}}}));
  memory.refuse_commits(Error{ErrorCode::Unavailable, "full", {}, "unavailable"});

  CHECK(reason_of(kv.write(StoreOfKeys::kCache, {{"a", {"2"}}, {"b", {"2"}}})) == "unavailable");
  CHECK(reason_of(kv.write(StoreOfKeys::kCache, {{"a", {value_of(5 * kMib, 'x')}}})) ==
        "unavailable");

  memory.refuse_commits({});
  CHECK(kv.read(StoreOfKeys::kCache, "a") == Entry{"1"});
  CHECK_FALSE(kv.read(StoreOfKeys::kCache, "b"));
}

TEST_CASE("of equal keys in one bulk the last wins", "[kv]") {
  StoreOfKeys store("sqlite");
  REQUIRE(store.kv->write(store.kCache, {{"a", {"1"}}, {"b", {"2"}}, {"a", {"3"}}}));
  CHECK(store.get("a") == Entry{"3"});
  CHECK(store.get("b") == Entry{"2"});
}

TEST_CASE("several keys are read at once, up to 25 MiB", "[kv]") {
  StoreOfKeys store("sqlite");
  REQUIRE(store.put("a", {value_of(13 * kMib, 'a')}));
  REQUIRE(store.put("b", {value_of(12 * kMib, 'b')}));
  REQUIRE(store.put("c", {"c", "[1]"}));
  const auto both = store.kv->read(store.kCache, std::vector<std::string>{"a", "none", "b"});
  REQUIRE(both);
  CHECK((*both)[0] == Entry{value_of(13 * kMib, 'a')});
  CHECK_FALSE((*both)[1]);
  CHECK((*both)[2]->value.size() == 12 * kMib);
  const auto more = store.kv->read(store.kCache, std::vector<std::string>{"a", "b", "c"});
  CHECK(more.error().reason == "value_too_large");
  CHECK(store.kv->read(store.kCache, std::vector<std::string>(101, "c")).error().reason ==
        "too_many_keys");
}

TEST_CASE("a list goes on behind its last key, whatever comes and goes meanwhile", "[kv]") {
  StoreOfKeys store(GENERATE("memory", "sqlite"));
  for (const char* key : {"a", "b/1", "b/2", "b/3", "b/4", "c"}) {
    REQUIRE(store.put(key, {"v"}));
  }
  const auto first = store.kv->list(store.kCache, {.prefix = "b/", .limit = 2});
  REQUIRE(first);
  REQUIRE(first->keys.size() == 2);
  CHECK(first->keys.back().name == "b/2");
  REQUIRE_FALSE(first->cursor.empty());

  REQUIRE(store.kv->erase(store.kCache, {"b/1", "b/2", "b/3"}));
  REQUIRE(store.put("b/1x", {"v"}));
  REQUIRE(store.put("b/2x", {"v"}));

  const auto second = store.kv->list(store.kCache, {.prefix = "b/", .cursor = first->cursor});
  REQUIRE(second);
  REQUIRE(second->keys.size() == 2);
  CHECK(second->keys[0].name == "b/2x");
  CHECK(second->keys[1].name == "b/4");
  CHECK(second->cursor.empty());
  for (const char* bad : {"!", "_w", "Lg"}) {  // no base64url, no UTF-8, "."
    CHECK(store.kv->list(store.kCache, {.cursor = bad}).error().reason == "bad_cursor");
  }
}

TEST_CASE("keys sort by their octets and are listed with metadata, expiry and size", "[kv]") {
  StoreOfKeys store(GENERATE("memory", "sqlite"));
  const std::int64_t end = to_ms(store.subject.clock.now()) + 60'000;
  REQUIRE(store.put("\xF0\x9F\x98\x80", {"emoji"}));
  REQUIRE(store.put("\xEE\x80\x80", {"private use"}));
  REQUIRE(store.put("Z", {"123", R"({"a":null})", end}));
  REQUIRE(store.put(std::string("a\0b", 3), {}));
  REQUIRE(store.put("a", {value_of(5 * kMib, 'a')}));

  const auto list = store.kv->list(store.kCache, {});

  REQUIRE(list);
  CHECK(store.names() == std::vector<std::string>{
                             "Z", "a", std::string("a\0b", 3), "\xEE\x80\x80", "\xF0\x9F\x98\x80"});
  CHECK(list->keys[0].metadata == R"({"a":null})");
  CHECK(list->keys[0].expires == end);
  CHECK(list->keys[0].bytes == 3);
  CHECK(list->keys[1].bytes == 5 * kMib);
}

TEST_CASE("namespaces have titles of their own; two always exist", "[kv]") {
  StoreOfKeys store(GENERATE("memory", "sqlite"));
  Namespaces& all = store.kv->namespaces;
  const auto made = all.create("shop");
  REQUIRE(made);
  CHECK(made->id.size() == 32);
  CHECK(all.create("shop").error().reason == "title_taken");
  CHECK(all.create("cache").error().reason == "title_taken");
  CHECK(all.create("").error().reason == "bad_title");
  CHECK(all.create(std::string(513, 't')).error().reason == "bad_title");
  CHECK(all.create("\xFF").error().reason == "bad_title");
  REQUIRE(all.create(std::string(512, 't')));
  CHECK(all.list()->size() == 4);
  CHECK(all.find(made->id) == *made);
  CHECK(all.find_named("shop") == *made);
  CHECK(all.find_named(made->id) == *made);
  CHECK(all.find_named("cache")->id == store.kCache);

  CHECK(all.rename(made->id, "sessions").error().reason == "title_taken");
  CHECK(all.rename(made->id, std::string(512, 't')).error().reason == "title_taken");
  CHECK(all.rename(made->id, "shop") == *made);
  CHECK(all.rename(made->id, "store") == Namespace{made->id, "store"});
  store.reopen();
  CHECK(store.kv->namespaces.find_named("store")->id == made->id);
  CHECK(store.kv->namespaces.find_named("shop").error().reason == "namespace_not_found");
  CHECK(store.kv->namespaces.create("shop"));

  CHECK(reason_of(store.kv->namespaces.remove(store.kCache)) == "builtin_namespace");
  CHECK(store.kv->namespaces.rename(store.kCache, "x").error().reason == "builtin_namespace");
  const std::string unknown(32, 'f');
  CHECK(reason_of(store.kv->namespaces.remove(unknown)) == "namespace_not_found");
  CHECK(store.kv->namespaces.rename(unknown, "x").error().reason == "namespace_not_found");
  CHECK(reason_of(store.put("k", {"v"}, unknown)) == "namespace_not_found");
  CHECK(reason_of(store.kv->erase("no id", {"k"})) == "namespace_not_found");
}

TEST_CASE("a removed namespace is gone at once and its entries soon", "[kv]") {
  StoreOfKeys store(GENERATE("memory", "sqlite"));
  const std::string id = store.kv->namespaces.create("shop")->id;
  std::vector<Write> writes;
  for (int i = 0; i < 1'500; ++i) {
    writes.push_back({std::to_string(i), {"v"}});
  }
  REQUIRE(store.kv->write(id, std::move(writes)));
  REQUIRE(store.put("big", {value_of(5 * kMib, 'a')}, id));

  REQUIRE(store.kv->namespaces.remove(id));

  CHECK(store.kv->namespaces.find(id).error().reason == "namespace_not_found");
  CHECK(reason_of(store.put("k", {"v"}, id)) == "namespace_not_found");
  CHECK(store.kv->namespaces.create("shop")->id != id);
  for (int round = 0; round < 3; ++round) {
    REQUIRE(store.kv->sweep());
  }
  CHECK(store.count("kv", id) == 0);
  CHECK(store.count("kv_value", id) == 0);
  CHECK(store.count("kv_part", id) == 0);
  CHECK(store.count("kv_gone", "") == 0);
}

TEST_CASE("nothing is written into a namespace that is removed meanwhile", "[kv]") {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  SeededRandom random{1};
  test::LateStore late(memory, 0);
  Kv writer(late, random, {});
  Kv other(memory, random, {});
  const std::string id = other.namespaces.create("shop")->id;
  std::promise<void> gate;
  storage::Batch first;
  first.puts = {{{"other", "", "k"}, "v"}};
  late.commit(first, test::soon(), [open = gate.get_future().share()](const auto&) {
    open.wait();  // what comes after it in the store waits too
  });

  std::promise<Result<void>> outcome;
  writer.write(id, {{"k", {"v"}}}, [&](Result<void> done) { outcome.set_value(std::move(done)); });
  REQUIRE(other.namespaces.remove(id));
  gate.set_value();

  CHECK(reason_of(outcome.get_future().get()) == "namespace_not_found");
  CHECK(memory.scan({.space = "kv", .part = id}, test::soon())->items.empty());
}

TEST_CASE("a big value that goes away while it is read is read anew", "[kv]") {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  SeededRandom random{1};
  test::LateStore late(memory, 0);
  Kv reader(late, random, {{StoreOfKeys::kCache, "cache"}});
  Kv writer(memory, random, {{StoreOfKeys::kCache, "cache"}});
  REQUIRE(writer.write(StoreOfKeys::kCache, {{"k", {value_of(5 * kMib, 'a')}}}));
  bool replaced = false;
  late.before_get = [&](std::span<const storage::Key> keys) {
    if (keys.front().space == "kv_part" && !std::exchange(replaced, true)) {
      REQUIRE(writer.write(StoreOfKeys::kCache, {{"k", {value_of(6 * kMib, 'b')}}}));
    }
  };

  CHECK(reader.read(StoreOfKeys::kCache, "k") == Entry{value_of(6 * kMib, 'b')});
  CHECK(replaced);
}

TEST_CASE("readers of a value that is being replaced see it whole", "[kv]") {
  StoreOfKeys store("sqlite");
  const auto write = [&](char letter, std::size_t size) {
    return store.put("k", {std::string(size, letter), fmt::format("\"{}\"", letter)});
  };
  REQUIRE(write('a', 5 * kMib));
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> read = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        while (!done || read < 10) {
          const auto entry = store.get("k");
          const bool is_whole =
              entry && entry->metadata[1] == entry->value[0] &&
              entry->value.find_first_not_of(entry->value[0]) == std::string::npos;
          torn += is_whole ? 0 : 1;
          ++read;
        }
      });
    }
    threads.emplace_back([&] {
      while (!done) {
        torn += store.kv->sweep() ? 0 : 1;
      }
    });
    for (int i = 0; i < 12; ++i) {
      const bool is_big = i % 3 != 2;
      CHECK(write(static_cast<char>('b' + i), is_big ? 5 * kMib : 100));
    }
    done = true;
  }
  CHECK(torn == 0);
  CHECK(store.get("k")->value.size() == 100);
}

TEST_CASE("the ids of the two namespaces are 32 hexadecimal digits and differ", "[kv]") {
  CHECK(builtin_namespaces({})->size() == 2);
  const std::string id(32, 'a');
  CHECK(builtin_namespaces({.cache_id = "abc"}).error().field == "kv.cache_id");
  CHECK(builtin_namespaces({.sessions_id = std::string(32, 'A')}).error().field ==
        "kv.sessions_id");
  CHECK(builtin_namespaces({.cache_id = id, .sessions_id = id}).error().field == "kv.sessions_id");
  CHECK(builtin_namespaces({.cache_id = id})->front() == Namespace{id, "cache"});
}

}  // namespace edge::kv
