// SPDX-License-Identifier: MIT
// Erasing records for good, scrubbing the state, and letting old parts of the log go.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "core/base/fault.h"
#include "tests/contract/subject.h"
#include "tests/support/raw_files.h"

using namespace edge;
using namespace edge::test;
using storage::Batch;
using IdList = std::vector<std::string>;

namespace {

/// Rolls at each commit a millisecond after the one before.
storage::Options rolling() {
  return {.roll_after = 1ms};
}

Batch appending_secret(const std::string& id, const std::string& secret) {
  Batch batch = appending({id});
  batch.appends[0].records[0].user = "user-" + secret;
  batch.appends[0].records[0].name = "name-" + secret;
  batch.appends[0].records[0].body = "{\"secret\":\"" + secret + "\"}";
  return batch;
}

std::uint64_t offset_of(const Result<storage::Receipt>& receipt) {
  REQUIRE(receipt);
  return receipt->spans.at(0).first;
}

}  // namespace

TEST_CASE("erased records are gone, and every position stays good", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  std::vector<std::uint64_t> offsets;
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    offsets.push_back(offset_of(store->commit(appending({id}), soon())));
    store.clock.advance(1s);
  }

  const auto erased = store->erase({.offsets = {offsets[1], offsets[3], offsets[4]}}, soon());

  CHECK(*erased == 3);
  CHECK(ids_after(*store, 0) == IdList{"a", "c"});
  CHECK(ids_after(*store, offsets[1]) == IdList{"c"});
  const auto end = store->read({.stream = "events", .after = offsets[2]}, soon());
  CHECK(end->records.empty());
  CHECK(end->reached == offsets[4]);
  CHECK(store->head("events", 0) == offsets[4]);
  CHECK(store->find({.stream = "events", .id = "b"}, soon())->records.empty());
  CHECK(*store->erase({.offsets = {offsets[1]}}, soon()) == 0);
  store.reopen();
  CHECK(ids_after(*store, 0) == IdList{"a", "c"});
  CHECK(store->head("events", 0) == offsets[4]);
  CHECK(store->commit(appending({"b"}), soon())->duplicates.size() == 1);
  CHECK(offset_of(store->commit(appending({"f"}), soon())) > offsets[4]);
  CHECK(ids_after(*store, offsets[4]) == IdList{"f"});
}

TEST_CASE("ids of erased records can be freed from the search for duplicates", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  std::vector<std::uint64_t> offsets;
  for (const char* id : {"a", "b", "c"}) {
    offsets.push_back(offset_of(store->commit(appending({id}), soon())));
    store.clock.advance(GENERATE(0s, 1s));
  }
  const auto is_known = [&](const std::string& id) {
    return !store->commit(appending({id}), soon())->duplicates.empty();
  };

  REQUIRE(store->erase(
      {.offsets = {offsets[0], offsets[1]}, .forgotten_ids = {{"web", "b"}, {"other", "a"}}},
      soon()));

  CHECK(is_known("a"));
  CHECK_FALSE(is_known("b"));
  CHECK(is_known("b"));
  CHECK(is_known("c"));
  CHECK(ids_after(*store, 0) == IdList{"c", "b"});
  store.reopen();
  CHECK(is_known("b"));
  CHECK(is_known("a"));
}

TEST_CASE("a damaged part of the log is named, and what lies in others goes", "[storage]") {
  Subject store("sqlite", rolling());
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 4; ++i) {
    offsets.push_back(offset_of(
        store->commit(appending_secret(std::to_string(i), fmt::format("s3cret{}-", i)), soon())));
    store.clock.advance(1s);
  }
  REQUIRE(store->erase({.offsets = {offsets[3]}}, soon()));  // seals what is there
  const auto file = files_with(store.directory(), "s3cret1-");
  REQUIRE(file.size() == 1);
  REQUIRE(damage_page_with(store.directory() + "/events/" + file[0], "s3cret1-"));
  store.reopen();

  const auto erased = store->erase({.offsets = {offsets[0], offsets[1], offsets[2]}}, soon());

  REQUIRE_FALSE(erased);
  CHECK(erased.error().reason == "corrupt");
  INFO(erased.error().message);
  CHECK(erased.error().message.find("events/" + file[0] + " is damaged") != std::string::npos);
  CHECK(files_with(store.directory(), "s3cret0-").empty());
  CHECK(files_with(store.directory(), "s3cret2-").empty());
}

TEST_CASE("offsets that do not rise are refused", "[storage]") {
  Subject store("sqlite");

  CHECK(store->erase({.offsets = {2, 1}}, soon()).error().reason == "bad_request");
  CHECK(*store->erase({}, soon()) == 0);
}

TEST_CASE("no file holds what was erased and scrubbed", "[storage]") {
  Subject store("sqlite", rolling());
  const bool is_sealed = GENERATE(true, false);
  const storage::Key kept{"profile", "", "kept"};
  const storage::Key gone{"profile", "", "gone-k3yOfSomebody"};
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 40; ++i) {
    const bool is_theirs = i % 3 == 0;
    const auto receipt = store->commit(
        appending_secret(std::to_string(i), is_theirs ? "s3cretOfSomebody" : "s3cretOfAnother"),
        soon());
    if (is_theirs) {
      offsets.push_back(offset_of(receipt));
    }
    // Values that grow and shrink leave copies in free pages and in the unused part of pages.
    REQUIRE(store->commit(
        putting(gone, std::string(static_cast<std::size_t>(i) * 700, 'x') + "st4teOfSomebody"),
        soon()));
    REQUIRE(store->commit(putting(kept, "st4teOfAnother" + std::to_string(i)), soon()));
    store.clock.advance(is_sealed || i == 20 ? 1s : 0s);
  }
  REQUIRE_FALSE(files_with(store.directory(), "s3cretOfSomebody").empty());
  REQUIRE_FALSE(files_with(store.directory(), "st4teOfSomebody").empty());
  Batch removal;
  removal.dels.push_back({gone});
  REQUIRE(store->commit(std::move(removal), soon()));

  REQUIRE(store->erase({.offsets = offsets}, soon()));
  REQUIRE(store->scrub(soon()));

  for (const char* text : {"s3cretOfSomebody", "st4teOfSomebody", "gone-k3yOfSomebody"}) {
    CHECK(files_with(store.directory(), text) == IdList{});
  }
  CHECK_FALSE(files_with(store.directory(), "s3cretOfAnother").empty());
  CHECK(ids_after(*store, 0).size() == 40 - offsets.size());
  CHECK(store->get(kept, soon())->value().value == "st4teOfAnother39");
  store.reopen();
  CHECK(ids_after(*store, 0).size() == 40 - offsets.size());
  CHECK(files_with(store.directory(), "OfSomebody") == IdList{});
}

TEST_CASE("appending and reading go on while records are erased", "[storage]") {
  Subject store("sqlite", {.roll_bytes = 100'000});
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 400; ++i) {
    const auto receipt = store->commit(appending_secret(fmt::format("old-{}", i), "x"), soon());
    if (i % 2 == 0) {
      offsets.push_back(offset_of(receipt));
    }
  }
  std::atomic<bool> is_over = false;
  std::atomic<int> stored = 0;
  std::string refused;   // the writer's, until it has ended
  std::string mixed_up;  // the reader's
  std::jthread writer([&] {
    for (int i = 0; !is_over || i < 200; ++i) {
      const auto receipt = store->commit(appending({fmt::format("new-{}", i)}), soon());
      stored += receipt ? 1 : 0;
      refused += receipt ? "" : receipt.error().message + "\n";
    }
  });
  std::jthread reader([&] {
    while (!is_over) {
      std::uint64_t after = 0;
      while (const auto slice = store->read({.stream = "events", .after = after}, soon())) {
        if (slice->reached == after) {
          break;
        }
        for (const storage::RecordPointer& record : slice->records) {
          if (record->offset <= after) {
            mixed_up += fmt::format("{} after {}\n", record->offset, after);
          }
        }
        after = slice->reached;
      }
    }
  });

  for (std::size_t i = 0; i < offsets.size(); i += 50) {
    const std::vector<std::uint64_t> some(offsets.begin() + static_cast<std::ptrdiff_t>(i),
                                          offsets.begin() + static_cast<std::ptrdiff_t>(i + 50));
    const auto erased = store->erase({.offsets = some}, soon());
    const auto scrubbed = store->scrub(soon());
    INFO((erased ? "" : erased.error().message) << (scrubbed ? "" : scrubbed.error().message));
    CHECK(erased.value_or(0) == 50);
    CHECK(scrubbed);
  }
  is_over = true;
  writer.join();
  reader.join();

  CHECK(refused == "");
  CHECK(mixed_up == "");
  CHECK(ids_after(*store, 0).size() == static_cast<std::size_t>(200 + stored));
}

TEST_CASE("a death while records are erased leaves a log that is whole", "[storage]") {
  const std::string fault = GENERATE("volume.seal.before_digest",
                                     "erase.before_swap",
                                     "erase.before_swap:2",
                                     "erase.after_swap",
                                     "scrub.before_checkpoint");
  INFO(fault);
  TempDir directory;
  static SystemClock clock;
  static SystemRandom random;
  const auto opened = [&] {
    return std::move(*storage::open(directory / "data", {.roll_bytes = 300'000}, clock, random));
  };
  std::vector<std::uint64_t> offsets;
  {
    const auto store = opened();
    for (int i = 0; i < 200; ++i) {
      const auto receipt = store->commit(
          appending_secret(std::to_string(i), i % 2 == 0 ? "s3cretOfSomebody" : "-"), soon());
      if (i % 2 == 0) {
        offsets.push_back(offset_of(receipt));
      }
    }
  }
  const pid_t child = fork();
  if (child == 0) {
    const auto store = opened();
    fault::arm(fault + (fault.back() == '2' ? ":kill" : ":1:kill"));
    static_cast<void>(store->erase({.offsets = offsets}, soon()));
    static_cast<void>(store->scrub(soon()));
    _exit(3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));

  const auto store = opened();
  const IdList before = ids_after(*store, 0);
  CHECK(std::ranges::count_if(before,
                              [](const std::string& id) { return std::stoi(id) % 2 == 1; }) == 100);
  REQUIRE(store->erase({.offsets = offsets}, soon()));
  REQUIRE(store->scrub(soon()));

  CHECK(ids_after(*store, 0).size() == 100);
  CHECK(files_with(directory / "data", "s3cretOfSomebody") == IdList{});
}

TEST_CASE("old parts of the log go when all have passed them", "[storage]") {
  Subject store(GENERATE("memory", "sqlite"), rolling());
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 6; ++i) {
    offsets.push_back(offset_of(store->commit(appending({std::to_string(i)}), soon())));
    store.clock.advance(24h);
  }
  const auto days_ago = [&](int days) { return to_ms(store.clock.store_now() - 24h * days); };
  // Parts go when they are sealed, which happens in the background.
  REQUIRE(store->erase({.offsets = {offsets[5]}}, soon()));

  CHECK(*store->retain({.before = days_ago(10), .passed = offsets[5]}, soon()) == 0);
  CHECK(*store->retain({.before = days_ago(3), .passed = offsets[0]}, soon()) == 1);
  CHECK(ids_after(*store, 0) == IdList{"1", "2", "3", "4"});
  CHECK(*store->retain({.before = days_ago(3), .passed = offsets[5]}, soon()) == 2);
  CHECK(ids_after(*store, 0) == IdList{"3", "4"});
  store.reopen();
  CHECK(ids_after(*store, 0) == IdList{"3", "4"});
  CHECK(store->head("events", 0) == offsets[5]);
  CHECK(offset_of(store->commit(appending({"6"}), soon())) > offsets[5]);
}

TEST_CASE("the oldest parts of the log go while it has more octets than it may", "[storage]") {
  Subject store("sqlite", rolling());
  std::vector<std::uint64_t> offsets;
  for (int i = 0; i < 6; ++i) {
    offsets.push_back(offset_of(store->commit(appending({std::to_string(i)}), soon())));
    store.clock.advance(1s);
  }
  REQUIRE(store->erase({.offsets = {offsets[5]}}, soon()));  // seals what is there
  const std::uint64_t bytes = store->health().log_bytes;
  const std::uint64_t part = bytes / store->health().volumes;
  const auto retain = [&](std::uint64_t passed, std::uint64_t most) {
    return *store->retain({.passed = passed, .max_bytes = most}, soon());
  };

  CHECK(retain(offsets[5], 0) == 0);
  CHECK(retain(offsets[5], bytes) == 0);
  CHECK(retain(offsets[0], bytes - part * 3) == 1);  // no more has been passed
  CHECK(ids_after(*store, 0) == IdList{"1", "2", "3", "4"});
  CHECK(retain(offsets[5], bytes - part * 2) >= 1);
  CHECK(store->health().log_bytes <= bytes - part * 2);
  const auto left = ids_after(*store, 0);
  CHECK(left.back() == "4");
  CHECK(left.size() < 4);
  CHECK(retain(offsets[5], 1) >= 1);
  CHECK(store->health().volumes == 1);  // the one that is written to
}

TEST_CASE("a store for reading erases nothing", "[storage]") {
  Subject writer("sqlite");
  REQUIRE(writer->commit(appending({"a"}), soon()));
  FakeClock clock;
  SeededRandom random{1};
  const auto reader = storage::open(writer.directory(), {.read_only = true}, clock, random);
  REQUIRE(reader);

  CHECK((*reader)->erase({.offsets = {1}}, soon()).error().reason == "bad_request");
  CHECK((*reader)->scrub(soon()).error().reason == "bad_request");
  CHECK((*reader)->retain({}, soon()).error().reason == "bad_request");
}
