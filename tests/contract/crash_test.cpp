// SPDX-License-Identifier: MIT
// A child process appends from several threads and reports what was acknowledged; it is killed, and
// everything it reported must be there, once.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "core/base/fault.h"
#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::test;

namespace {

constexpr int kSenders = 4;
constexpr int kBatch = 20;
constexpr std::size_t kIdBytes = 16;

std::unique_ptr<storage::Store> opened(const std::string& directory,
                                       storage::Durability durability) {
  static SystemClock clock;
  static SystemRandom random;
  storage::Options options{.durability = durability, .roll_bytes = 400'000};
  auto store = storage::open(directory, options, clock, random);
  if (!store) {
    throw std::runtime_error(store.error().message);
  }
  return std::move(*store);
}

/// Appends for ever; writes the ids of each acknowledged batch to `report` in one piece.
[[noreturn]] void append_until_killed(const std::string& directory,
                                      storage::Durability durability,
                                      int round,
                                      int report) {
  const auto store = opened(directory, durability);
  const auto send = [&](int sender) {
    for (int n = 0;; ++n) {
      std::vector<std::string> ids;
      std::string text;
      for (int i = 0; i < kBatch; ++i) {
        ids.push_back(fmt::format("{:03}-{:02}-{:04}-{:03}", round, sender, n, i));
        text += ids.back() + "\n";
      }
      storage::Batch state = putting({"done", "", std::to_string(sender)}, ids.back());
      if (!store->commit(appending(ids), soon()) || !store->commit(std::move(state), soon()) ||
          write(report, text.data(), text.size()) < 0) {
        _exit(3);
      }
    }
  };
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back(send, sender);
  }
  senders.clear();
  _exit(4);
}

/// Runs the child until it has acknowledged `enough` ids (then it is killed), or dies of `fault`.
/// What it acknowledged.
std::vector<std::string> run_child(const std::string& directory,
                                   int round,
                                   std::size_t enough,
                                   const std::string& fault) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    fault::arm(fault);
    append_until_killed(directory,
                        round % 2 == 0 ? storage::Durability::Full : storage::Durability::Normal,
                        round,
                        ends[1]);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4'096> piece{};
  for (ssize_t size = 0; (size = read(ends[0], piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(size));
    if (text.size() / kIdBytes >= enough) {
      kill(child, SIGKILL);
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  std::vector<std::string> ids;
  for (std::size_t at = 0; at + kIdBytes <= text.size(); at += kIdBytes) {
    ids.push_back(text.substr(at, kIdBytes - 1));
  }
  return ids;
}

/// Checks that every acknowledged id is stored, and none twice.
void check_nothing_lost(const std::string& directory,
                        const std::vector<std::string>& acknowledged) {
  const auto store = opened(directory, storage::Durability::Full);
  std::map<std::string, int> stored;
  for (std::string& id : ids_after(*store, 0)) {
    ++stored[std::move(id)];
  }
  const auto lost = std::ranges::count_if(
      acknowledged, [&](const std::string& id) { return !stored.contains(id); });
  const auto twice = std::ranges::count_if(stored, [](const auto& one) { return one.second > 1; });
  CHECK(lost == 0);
  CHECK(twice == 0);
  // What was acknowledged is known as a duplicate, what was not may be sent again.
  if (!acknowledged.empty()) {
    CHECK(store->commit(appending({acknowledged.back()}), soon())->duplicates.size() == 1);
  }
}

}  // namespace

TEST_CASE("kill -9 at random moments loses nothing that was acknowledged", "[storage]") {
  TempDir directory;
  SeededRandom random(Catch::rngSeed() + 1);
  std::vector<std::string> acknowledged;
  const char* cycles = std::getenv("EDGE_CONTRACT_KILLS");
  const int rounds = cycles == nullptr ? 20 : std::atoi(cycles);

  for (int round = 0; round < rounds; ++round) {
    const auto more = run_child(directory / "data", round, 1 + random.below(1'500), "");
    acknowledged.insert(acknowledged.end(), more.begin(), more.end());
  }

  check_nothing_lost(directory / "data", acknowledged);
  fmt::print(
      "contract: {} kills, {} acknowledged, lost 0, stored twice 0\n", rounds, acknowledged.size());
}

TEST_CASE("death at each fault point of the store loses nothing that was acknowledged",
          "[storage]") {
  TempDir directory;
  std::vector<std::string> acknowledged;
  int round = 0;

  for (const char* point : {"log.before_commit",
                            "log.after_commit",
                            "apply.before_commit",
                            "apply.after_commit",
                            "volume.roll.after_create",
                            "volume.seal.before_digest"}) {
    for (const char* passage : {":1", ":2", ":3"}) {
      INFO(point << passage);
      const bool is_start =
          std::string_view(point).starts_with("apply") && std::string_view(passage) == ":1";
      const auto more =
          run_child(directory / "data", round++, 200'000, std::string(point) + passage + ":kill");
      CHECK((is_start || !more.empty() ||
             std::string_view(point).find("roll") == std::string_view::npos));
      acknowledged.insert(acknowledged.end(), more.begin(), more.end());
      check_nothing_lost(directory / "data", acknowledged);
    }
  }
}
