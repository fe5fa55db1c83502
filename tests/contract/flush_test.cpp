// SPDX-License-Identifier: MIT
// Which commits wait for the disk. SQLite's calls of fsync and fdatasync come here first, and are
// counted.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/contract/subject.h"

namespace {

std::atomic<int> flushes{0};
std::atomic<int> own_flushes{0};  // those that are ours, not SQLite's

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
extern "C" int fsync(int file) {
  ++flushes;
  return static_cast<int>(syscall(SYS_fsync, file));
}

extern "C" int fdatasync(int file) {
  ++flushes;
  // SQLite writes to the files that it flushes, as when it moves the log of a quiet store.
  struct stat facts {};
  const bool is_file = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode);
  own_flushes += is_file && (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY ? 1 : 0;
  return static_cast<int>(syscall(SYS_fdatasync, file));
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

using namespace edge;
using namespace edge::test;

namespace {

storage::Batch derived(std::string value) {
  storage::Batch batch = putting({"state", "part", "key"}, std::move(value));
  batch.derived = true;
  return batch;
}

/// Waits for it.
bool flushed_since(int before) {
  const storage::Deadline patience = soon();
  while (own_flushes == before && !patience.has_passed()) {
    std::this_thread::yield();
  }
  return own_flushes > before;
}

int flushes_of(Subject& subject, const storage::Batch& batch) {
  const int before = flushes;
  REQUIRE(subject->commit(batch, soon()).has_value());
  return flushes - before;
}

}  // namespace

TEST_CASE("what can be made again does not wait for the disk, all else does", "[storage]") {
  Subject subject("sqlite");

  CHECK(flushes_of(subject, putting({"state", "part", "key"}, "1")) > 0);
  // It is flushed beside the commits now and then, so the least of three is what counts.
  CHECK(std::min({flushes_of(subject, derived("2")),
                  flushes_of(subject, derived("3")),
                  flushes_of(subject, derived("4"))}) == 0);
  CHECK(flushes_of(subject, appending({"a"})) > 0);
  CHECK(flushes_of(subject, putting({"state", "part", "key"}, "5")) > 0);
}

TEST_CASE("what did not wait for the disk is flushed by itself", "[storage]") {
  Subject subject("sqlite");
  REQUIRE(subject->commit(putting({"state", "part", "key"}, "1"), soon()).has_value());
  const int before = own_flushes;

  REQUIRE(subject->commit(derived("2"), soon()).has_value());

  CHECK(flushed_since(before));
}

TEST_CASE("with durability normal, the last second is flushed by itself", "[storage]") {
  Subject subject("sqlite", {.durability = storage::Durability::Normal});
  const storage::Batch batch = GENERATE(appending({"a"}), putting({"state", "part", "key"}, "1"));
  const int before = own_flushes;

  REQUIRE(subject->commit(batch, soon()).has_value());

  CHECK(flushed_since(before));
}

TEST_CASE("before records go, what was committed about them is flushed", "[storage]") {
  Subject subject("sqlite", {.roll_bytes = 1});
  REQUIRE(subject->commit(appending({"a"}), soon()).has_value());
  REQUIRE(subject->commit(appending({"b"}), soon()).has_value());
  REQUIRE(subject->commit(derived("1"), soon()).has_value());
  subject.clock.advance(1h);
  subject.reopen();  // seals what is closed
  REQUIRE(subject->commit(derived("2"), soon()).has_value());
  REQUIRE(subject->commit(derived("3"), soon()).has_value());

  const int before = flushes;
  const auto removed =
      subject->retain({.before = to_ms(subject.clock.store_now()), .passed = 1}, soon());

  REQUIRE(removed.has_value());
  CHECK(*removed == 1);
  CHECK(flushes - before >= 2);  // that one, and of the row of the file
}
