// SPDX-License-Identifier: MIT
// What only an engine on files can meet: full disks, failing flushes, damaged files, a second
// process, older and newer formats.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/base/fault.h"
#include "core/storage/sqlite/database.h"
#include "core/storage/sqlite/disk_space.h"
#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;
using storage::Health;
namespace fs = std::filesystem;

namespace {

/// Takes all armed faults back at the end of the scope.
struct Disarm {
  Disarm() = default;
  Disarm(const Disarm&) = delete;
  Disarm& operator=(const Disarm&) = delete;
  Disarm(Disarm&&) = delete;
  Disarm& operator=(Disarm&&) = delete;
  ~Disarm() { fault::arm(""); }
};

Result<std::unique_ptr<storage::Store>> open_again(const std::string& directory,
                                                   storage::Options options = {}) {
  static SystemClock clock;
  static SystemRandom random;
  return storage::open(directory, options, clock, random);
}

storage::Batch body(const std::string& id, const std::string& text) {
  storage::Batch batch = appending({id});
  batch.appends[0].records[0].body = text;
  return batch;
}

}  // namespace

TEST_CASE("a callback that throws takes nobody with it", "[storage]") {
  Subject store("sqlite");
  store->commit(appending({"a"}), soon(), [](const Result<storage::Receipt>&) {
    throw std::runtime_error("no log line");
  });
  storage::Batch state;
  state.puts.push_back({.key = {"kv", "", "k"}, .value = "v"});
  store->commit(std::move(state), soon(), [](const Result<storage::Receipt>&) {
    throw std::runtime_error("no state line");
  });

  CHECK(store->commit(appending({"b"}), soon()));
  storage::Batch later;
  later.puts.push_back({.key = {"kv", "", "l"}, .value = "v"});
  CHECK(store->commit(std::move(later), soon()));
  CHECK(store->health().callback_faults == 2);
  CHECK(store->health().state == Health::State::Ok);
}

TEST_CASE("a full disk refuses appends, keeps taking state, and recovers by itself", "[storage]") {
  const Disarm disarm;
  Subject store("sqlite");
  REQUIRE(store->commit(appending({"a"}), soon()));
  REQUIRE(fault::arm("log.before_commit:1+:enospc"));

  const auto refused = store->commit(appending({"b"}), soon());

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::Unavailable);
  CHECK(refused.error().reason == "full");
  CHECK(refused.error().retry_after.count() > 0);
  CHECK(store->health().state == Health::State::Full);
  CHECK_FALSE(fs::exists(store.directory() + "/reserve"));
  CHECK(store->commit(putting({"cursor", "", "x"}, "1"), soon()));
  CHECK(ids_after(*store, 0) == std::vector<std::string>{"a"});

  REQUIRE(fault::arm(""));
  CHECK(store->commit(appending({"b"}), soon())->duplicates.empty());
  CHECK(store->health().state == Health::State::Ok);
  CHECK(fs::file_size(store.directory() + "/reserve") >= storage::sqlite::kReserveBytes);
}

TEST_CASE("a change of state that meets a full disk gets the reserve", "[storage]") {
  const Disarm disarm;
  Subject store("sqlite");
  REQUIRE(fault::arm("apply.before_commit:1:enospc"));

  CHECK(store->commit(putting({"cursor", "", "x"}, "1"), soon()));

  CHECK(store->health().state == Health::State::Full);
  CHECK(*store->get(storage::Key{"cursor", "", "x"}, soon()));
}

TEST_CASE("a file size limit is met as a full disk and survived", "[storage]") {
  TempDir directory;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto store = open_again(directory / "data");
    const rlimit small{std::uint64_t{3} << 20U, RLIM_INFINITY};
    const rlimit large{RLIM_INFINITY, RLIM_INFINITY};
    if (!store || setrlimit(RLIMIT_FSIZE, &small) != 0) {
      _exit(2);
    }
    int stored = 0;
    for (; stored < 1'000; ++stored) {
      const auto receipt =
          (*store)->commit(body(std::to_string(stored), std::string(100'000, 'x')), soon());
      if (!receipt && receipt.error().reason != "full") {
        fmt::print(stderr, "{}\n", receipt.error().message);
        _exit(3);
      }
      if (!receipt) {
        break;
      }
    }
    const bool is_refused = !(*store)->commit(appending({"while full"}), soon());
    const bool recovers =
        setrlimit(RLIMIT_FSIZE, &large) == 0 && (*store)->commit(appending({"after"}), soon());
    store->reset();
    store = open_again(directory / "data");
    _exit(stored > 5 && stored < 1'000 && is_refused && recovers && store &&
                  ids_after(**store, 0).size() == static_cast<std::size_t>(stored) + 1
              ? 0
              : 4);
  }
  int status = 0;
  waitpid(child, &status, 0);

  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("after a failed flush nothing is acknowledged any more", "[storage]") {
  const Disarm disarm;
  Subject store("sqlite");
  REQUIRE(fault::arm("log.before_commit:1:eio"));

  const auto refused = store->commit(appending({"a"}), soon());

  CHECK(refused.error().reason == "failed");
  CHECK(refused.error().message.find(".ev") != std::string::npos);
  CHECK(store->commit(appending({"b"}), soon()).error().reason == "failed");
  CHECK(store->commit(putting({"x", "", "x"}, "1"), soon()).error().reason == "failed");
  CHECK(store->health().state == Health::State::Failed);
  CHECK(store->health().problem.find(".ev") != std::string::npos);
  store.reopen();
  CHECK(ids_after(*store, 0).empty());
  CHECK(store->commit(appending({"a"}), soon())->duplicates.empty());
}

TEST_CASE("a second opener is refused and told the process; readers may look on", "[storage]") {
  Subject store("sqlite");
  REQUIRE(store->commit(appending({"a"}), soon()));
  REQUIRE(store->commit(putting({"note", "", "x"}, "seen"), soon()));

  const auto second = open_again(store.directory());
  const auto reader = open_again(store.directory(), {.read_only = true});

  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::Unavailable);
  CHECK(second.error().message.find(std::to_string(getpid())) != std::string::npos);
  REQUIRE(reader);
  CHECK(ids_after(**reader, 0) == std::vector<std::string>{"a"});
  REQUIRE(store->commit(appending({"b"}), soon()));
  CHECK((*reader)->head("events", 0) == 2);
  CHECK((*reader)->find({.stream = "events", .id = "b"}, soon())->records.size() == 1);
  CHECK((*(*reader)->get(storage::Key{"note", "", "x"}, soon()))->value == "seen");
  CHECK((*reader)->commit(appending({"c"}), soon()).error().reason == "bad_request");
  CHECK((*reader)->take({.queue = "q"}, soon()).error().reason == "bad_request");
}

TEST_CASE("what cannot be opened says why", "[storage]") {
  Subject store("sqlite");
  const std::string directory = store.directory();

  CHECK(open_again("mysql://host/db").error().reason == "bad_request");
  CHECK(open_again(directory + "/none", {.read_only = true}).error().code == ErrorCode::NotFound);
  CHECK(open_again("/proc/none").error().reason == "failed");
}

TEST_CASE("a newer format is refused untouched", "[storage]") {
  TempDir directory;
  { REQUIRE(open_again(directory / "data")); }
  {
    storage::sqlite::Database state(directory / "data/edge.db",
                                    storage::sqlite::Database::Mode::ReadWrite);
    state.run("UPDATE meta SET value=CAST('99' AS BLOB) WHERE name=CAST('min_reader' AS BLOB)");
  }

  CHECK(open_again(directory / "data").error().reason == "newer_format");
  CHECK(open_again(directory / "data", {.read_only = true}).error().reason == "newer_format");
}

TEST_CASE("numbers go on above every position when the log was removed", "[storage]") {
  TempDir directory;
  {
    const auto store = open_again(directory / "data");
    REQUIRE((*store)->commit(appending({"a", "b", "c"}), soon()));
    storage::Batch batch;
    batch.advances.push_back({"profiles", "events", 0, {.offset = 3}});
    REQUIRE((*store)->commit(std::move(batch), soon()));
  }
  fs::remove_all(directory / "data/events");

  const auto store = open_again(directory / "data");
  const auto receipt = (*store)->commit(appending({"d"}), soon());

  REQUIRE(receipt);
  CHECK(receipt->spans[0].first == 4);
  CHECK(ids_after(**store, 3) == std::vector<std::string>{"d"});
}
