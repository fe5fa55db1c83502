// SPDX-License-Identifier: MIT
// Files that changed on the disk: found, named, contained.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/storage/sqlite/volume.h"
#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;
namespace fs = std::filesystem;

namespace {

Result<std::unique_ptr<storage::Store>> open_again(const std::string& directory,
                                                   storage::Options options = {}) {
  static SystemClock clock;
  static SystemRandom random;
  return storage::open(directory, options, clock, random);
}

/// Replaces the first occurrence of `text` in a file.
void damage_text(const fs::path& path, const std::string& text, const std::string& by) {
  std::ifstream in(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  const std::size_t at = content.find(text);
  REQUIRE(at != std::string::npos);
  content.replace(at, by.size(), by);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  std::ofstream(path, std::ios::binary) << content;
}

/// Overwrites pages 2 and 3.
void damage_pages(const fs::path& path, std::size_t page_size) {
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(page_size));
  file << std::string(2 * page_size, '\x5A');
}

fs::path volume(const Subject& store, int number) {
  return fs::path(store.directory()) / fmt::format("events/{:08}.ev", number);
}

storage::Batch body(const std::string& id, const std::string& text) {
  storage::Batch batch = appending({id});
  batch.appends[0].records[0].body = text;
  return batch;
}

/// Waits until the housekeeper has stored the digest of a volume.
std::string digest_of(const Subject& store, std::uint64_t number) {
  for (;;) {
    storage::sqlite::Database state(store.directory() + "/edge.db",
                                    storage::sqlite::Database::Mode::ReadOnly);
    auto row = state.query("SELECT sha256 FROM volume WHERE n=?1");
    if (row.bind(1, number).step()) {
      return std::string(row.octets(0));
    }
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("a changed record is named and never served; what stands before it is", "[storage]") {
  Subject store("sqlite");
  for (const char* id : {"a", "b", "c"}) {
    REQUIRE(store->commit(body(id, std::string("body of ") + id), soon()));
  }
  const auto path = volume(store, 1);
  const std::string copy = store.directory() + "-copy";
  store.reopen();  // moves the write-ahead log into the file
  fs::copy(store.directory(), copy, fs::copy_options::recursive);
  damage_text(fs::path(copy) / "events/00000001.ev", "body of b", "b0dy");
  fs::remove(fs::path(copy) / "edge.lock");
  const auto damaged = open_again(copy);
  REQUIRE(damaged);

  const auto before = (*damaged)->read({.stream = "events"}, soon());
  const auto at = (*damaged)->read({.stream = "events", .after = 1}, soon());

  REQUIRE(before);
  CHECK(before->records.size() == 1);
  REQUIRE_FALSE(at);
  CHECK(at.error().reason == "corrupt");
  CHECK(at.error().message.find("record 2 of ") == 0);
  CHECK(at.error().field == "2");
  CHECK((*damaged)->read({.stream = "events", .after = 2}, soon())->records.size() == 1);
  fs::remove_all(copy);
}

TEST_CASE("a changed value is named and fails only what needs it", "[storage]") {
  Subject store("sqlite");
  REQUIRE(store->commit(putting({"note", "p", "good"}, "a good value"), soon()));
  REQUIRE(store->commit(putting({"note", "p", "bad"}, "a bad value"), soon()));
  const std::string copy = store.directory() + "-copy";
  store.reopen();
  fs::copy(store.directory(), copy, fs::copy_options::recursive);
  damage_text(copy + "/edge.db", "a bad value", "a b4d");
  const auto damaged = open_again(copy);
  REQUIRE(damaged);

  const auto got = (*damaged)->get(storage::Key{"note", "p", "bad"}, soon());

  REQUIRE_FALSE(got);
  CHECK(got.error().reason == "corrupt");
  CHECK(got.error().message.find("note/p/bad") != std::string::npos);
  CHECK_FALSE((*damaged)->scan({.space = "note", .part = "p"}, soon()));
  CHECK((*(*damaged)->get(storage::Key{"note", "p", "good"}, soon()))->value == "a good value");
  storage::Batch batch = putting({"note", "p", "good"}, "better");
  batch.checks.push_back({{"note", "p", "bad"}, 1});
  CHECK((*damaged)->commit(std::move(batch), soon()).error().reason == "corrupt");
  CHECK((*damaged)->commit(putting({"note", "p", "good"}, "best"), soon()));
  fs::remove_all(copy);
}

TEST_CASE("a store with damaged pages does not start after a crash and names the file",
          "[storage]") {
  const auto [file, page_size] = GENERATE(
      table<const char*, std::size_t>({{"edge.db", 4'096}, {"events/00000001.ev", 16'384}}));
  Subject store("sqlite");
  for (int i = 0; i < 200; ++i) {
    REQUIRE(store->commit(body(std::to_string(i), std::string(300, 'x')), soon()));
    REQUIRE(store->commit(putting({"note", "", std::to_string(i)}, std::string(300, 'y')), soon()));
  }
  store.reopen();
  const std::string copy = store.directory() + "-copy";
  fs::copy(
      store.directory(), copy, fs::copy_options::recursive);  // of an open store: as after a crash
  damage_pages(fs::path(copy) / file, page_size);

  const auto damaged = open_again(copy);

  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().reason == "corrupt");
  CHECK(damaged.error().message.find(file) != std::string::npos);
  fs::remove_all(copy);
}

TEST_CASE("a closed volume is sealed with its digest, and a damaged one loses only itself",
          "[storage]") {
  Subject store("sqlite", {.roll_after = 1ms});
  REQUIRE(store->commit(appending({"a"}), soon()));
  store.clock.advance(1s);
  REQUIRE(store->commit(appending({"b"}), soon()));

  const std::string digest = digest_of(store, 1);

  CHECK(digest == storage::sqlite::sha256_of_file(volume(store, 1)));
  CHECK(fs::status(volume(store, 1)).permissions() == fs::perms::owner_read);
  CHECK(ids_after(*store, 0) == std::vector<std::string>{"a", "b"});
  store.reopen();
  damage_pages(volume(store, 1), 16'384);
  CHECK(store->commit(appending({"c"}), soon()));
  CHECK(ids_after(*store, 1) == std::vector<std::string>{"b", "c"});
}
