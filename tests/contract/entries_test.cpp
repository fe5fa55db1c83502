// SPDX-License-Identifier: MIT
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;
using storage::Batch;
using storage::Key;

namespace {
const Key kAda{"person", "", "ada"};
const Key kBob{"person", "", "bob"};

std::uint64_t version_of(storage::Store& store, const Key& key) {
  const auto entry = store.get(key, soon());
  return *entry ? (*entry)->version : 0;
}
}  // namespace

TEST_CASE("a value is read back as it was put, with a version that rises", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const std::string octets("\0\xFF'; DROP TABLE", 15);

  const auto first = store->commit(putting(kAda, "one"), soon());
  const auto second = store->commit(putting(kAda, octets), soon());
  store.reopen();

  const auto entry = store->get(kAda, soon());
  REQUIRE((first && second && entry && *entry));
  CHECK((*entry)->value == octets);
  CHECK((*entry)->version == second->versions.at(0));
  CHECK(second->versions.at(0) > first->versions.at(0));
  CHECK_FALSE(*store->get(kBob, soon()));
  CHECK_FALSE(*store->get(Key{"never_made", "", "x"}, soon()));
}

TEST_CASE("a key that was deleted and made again has a new version", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(putting(kAda, "one"), soon()));
  const std::uint64_t old = version_of(*store, kAda);
  Batch remove;
  remove.dels.push_back({kAda});

  REQUIRE(store->commit(std::move(remove), soon()));
  store.reopen();
  REQUIRE(store->commit(putting(kAda, "one"), soon()));

  CHECK(version_of(*store, kAda) > old);
}

TEST_CASE("a failed check changes nothing and names itself", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(putting(kAda, "one"), soon()));
  Batch batch = putting(kBob, "new");
  batch.checks.push_back({kBob, 0});
  batch.checks.push_back({kAda, version_of(*store, kAda) + 1});
  batch.dues.push_back({.queue = "q", .id = "1"});

  const auto refused = store->commit(std::move(batch), soon());

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::Conflict);
  CHECK(refused.error().reason == "conflict");
  CHECK(refused.error().field == "/checks/1");
  CHECK(version_of(*store, kBob) == 0);
  CHECK(store->list({.queue = "q"}, soon())->items.empty());
}

TEST_CASE("of parallel read-modify-writes none is lost", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  std::atomic<int> conflicts = 0;
  std::vector<std::jthread> threads;

  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kRounds;) {
        const auto entry = *store->get(kAda, soon());
        Batch batch = putting(kAda, std::to_string(entry ? std::stoi(entry->value) + 1 : 1));
        batch.checks.push_back({kAda, entry ? entry->version : 0});
        store->commit(std::move(batch), soon()) ? ++done : ++conflicts;
      }
    });
  }
  threads.clear();

  CHECK((*store->get(kAda, soon()))->value == std::to_string(kThreads * kRounds));
}

TEST_CASE("a check on a key that is not written is protected too", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(putting(kAda, "one"), soon()));
  Batch batch = putting(kBob, "depends on ada");
  batch.checks.push_back({kAda, version_of(*store, kAda)});
  REQUIRE(store->commit(putting(kAda, "two"), soon()));

  CHECK(store->commit(std::move(batch), soon()).error().reason == "conflict");
}

TEST_CASE("an expired key is absent for reads, scans, checks and counters", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const std::int64_t expires = to_ms(store.clock.store_now()) + 1'000;
  REQUIRE(store->commit(putting(kAda, "5", expires), soon()));
  store.clock.advance(999ms);
  CHECK(*store->get(kAda, soon()));

  store.clock.advance(1ms);

  CHECK_FALSE(*store->get(kAda, soon()));
  CHECK(store->scan({.space = "person"}, soon())->items.empty());
  Batch batch;
  batch.checks.push_back({kAda, 0});
  batch.adds.push_back({kAda, 2, expires + 5'000});
  const auto added = store->commit(std::move(batch), soon());
  REQUIRE(added);
  CHECK(added->sums.at(0) == 2);
  CHECK((*store->get(kAda, soon()))->expires == expires + 5'000);
}

TEST_CASE("expiry follows the store's clock, not the wall clock", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  REQUIRE(store->commit(putting(kAda, "x", to_ms(store.clock.now()) + 1'000), soon()));

  store.clock.set_store_offset(2s);

  CHECK_FALSE(*store->get(kAda, soon()));
}

TEST_CASE("a counter adds up, keeps its expiry, and refuses what it cannot hold", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const Key text{"counter", "", "text"};
  REQUIRE(store->commit(putting(text, "not a number"), soon()));
  const auto add = [&](std::int64_t by) {
    Batch batch = putting(kBob, "in the same batch");
    batch.adds.push_back({{"counter", "", "n"}, by});
    return store->commit(std::move(batch), soon());
  };

  CHECK(add(40)->sums.at(0) == 40);
  CHECK(add(-42)->sums.at(0) == -2);
  CHECK(add(std::numeric_limits<std::int64_t>::min()).error().reason == "bad_request");
  Batch batch = putting(kAda, "must not appear");
  batch.adds.push_back({{"counter", "", "n"}, 1});
  batch.adds.push_back({text, 1});
  const auto refused = store->commit(std::move(batch), soon());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().field == "/adds/1");
  CHECK(version_of(*store, kAda) == 0);
  CHECK(add(0)->sums.at(0) == -2);
}

TEST_CASE("a token is applied once within ten minutes, also after a restart", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const auto add = [&] {
    Batch batch;
    batch.token = {1, 2, 3};
    batch.adds.push_back({kAda, 1});
    return store->commit(std::move(batch), soon());
  };
  const auto first = add();

  store.reopen();
  const auto again = add();
  store.clock.advance(11min);
  const auto later = add();

  REQUIRE((first && again && later));
  CHECK(*first == *again);
  CHECK(later->sums.at(0) == 2);
}

TEST_CASE("a scan gives one part in octet order, page by page, both ways", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  Batch batch;
  std::vector<std::string> keys;
  for (int i = 0; i < 1'500; ++i) {
    std::string key = "k" + std::to_string(10'000 + i);
    keys.push_back(key);
    batch.puts.push_back({{"list", "a", key}, key});
  }
  batch.puts.push_back({{"list", "b", "k"}, "another part"});
  batch.puts.push_back({{"list", "a", "z\xFF"}, "another prefix"});
  REQUIRE(store->commit(std::move(batch), soon()));
  const bool reverse = GENERATE(false, true);
  auto scan = storage::Scan::prefix("list", "a", "k");
  scan.reverse = reverse;

  std::vector<std::string> seen;
  int pages = 0;
  for (bool more = true; more; ++pages) {
    const auto page = store->scan(scan, soon());
    REQUIRE(page);
    CHECK(page->items.size() <= storage::kMaxPageItems);
    for (const auto& item : page->items) {
      seen.push_back(item.key);
    }
    more = page->next.has_value();
    scan.resume(page->next.value_or(""));
  }

  if (reverse) {
    std::reverse(keys.begin(), keys.end());
  }
  CHECK(pages == 2);
  CHECK(seen == keys);
}

TEST_CASE("a page of large values is bounded by its octets", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  const std::string large(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 9; ++i) {
    REQUIRE(store->commit(putting({"big", "", std::to_string(i)}, large), soon()));
  }

  const auto page = store->scan({.space = "big"}, soon());

  CHECK(page->items.size() == 3);
  CHECK(page->next == "3");
}

TEST_CASE("what breaks the rules of the port is refused by name", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"));
  Batch mixed = appending({"1"});
  mixed.puts.push_back({kAda, "x"});
  Batch many;
  many.checks.resize(storage::kMaxBatchItems + 1, {kAda, 0});
  Batch big;
  for (int i = 0; i < 5; ++i) {
    big.puts.push_back({kAda, std::string(storage::kMaxValueBytes, 'x')});
  }

  CHECK(store->commit(std::move(mixed), soon()).error().reason == "bad_request");
  CHECK(store->commit(std::move(many), soon()).error().reason == "too_large");
  CHECK(store->commit(std::move(big), soon()).error().reason == "too_large");
  CHECK(store->commit(putting(kAda, std::string(storage::kMaxValueBytes + 1, 'x')), soon())
            .error()
            .field == "/puts/0");
  for (const char* name :
       {"", "Upper", "a b", "1st", "x;drop", "a23456789012345678901234567890123"}) {
    INFO(name);
    CHECK(store->commit(putting({name, "", "k"}, "v"), soon()).error().reason == "bad_request");
  }
  CHECK(store->commit(putting({"person", "", ""}, "v"), soon()).error().reason == "bad_request");
  CHECK(store->commit(putting(kAda, "late"), storage::Deadline::in(-1ms)).error().reason ==
        "unavailable");
}
