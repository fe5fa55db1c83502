// SPDX-License-Identifier: MIT
// Durable appends per second through the storage port against plain SQLite: 8 senders, each with
// one batch in flight, batches of 1, 16, 64 and 256 records of 500 octets, `synchronous=FULL` on
// both sides. Plain SQLite is one connection, one table, one transaction per batch, without message
// ids, checksums or readers in memory: the floor, not a competitor.
//
//   bench_store [SECONDS per figure, default 2] [DIRECTORY, default the temporary one]
#include <fmt/format.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/storage/open.h"

namespace {

using namespace edge;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr int kSenders = 8;
constexpr std::size_t kBodyBytes = 500;

/// Calls `send(sender, n)` from all senders for `seconds`; records per second when each call stands
/// for `batch` of them.
template <typename Send>
double rate(double seconds, int batch, Send send) {
  std::atomic<std::int64_t> sent = 0;
  const auto begin = SteadyClock::now();
  const auto end = begin + std::chrono::duration_cast<SteadyClock::duration>(
                               std::chrono::duration<double>(seconds));
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (int n = 0; SteadyClock::now() < end; ++n) {
        send(sender, n);
        sent += batch;
      }
    });
  }
  senders.clear();
  return static_cast<double>(sent) /
         std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

void must(bool is_true, const char* what) {
  if (!is_true) {
    fmt::print(stderr, "bench_store: {}\n", what);
    std::exit(1);
  }
}

double port_rate(const std::string& directory, double seconds, int batch) {
  static SystemClock clock;
  static SystemRandom random;
  auto store = storage::open("sqlite:" + directory, {}, clock, random);
  must(store.has_value(), "the store does not open");
  const std::string body(kBodyBytes, 'x');
  return rate(seconds, batch, [&](int sender, int n) {
    storage::Append append{.stream = "events", .lane = 0};
    for (int i = 0; i < batch; ++i) {
      append.records.push_back({.source = "bench",
                                .id = fmt::format("{}-{}-{}", sender, n, i),
                                .kind = 1,
                                .user = "someone",
                                .body = body});
    }
    storage::Batch one;
    one.appends.push_back(std::move(append));
    must((*store)->commit(std::move(one), storage::Deadline::in(30s)).has_value(),
         "an append was refused");
  });
}

double plain_rate(const std::string& directory, double seconds, int batch) {
  sqlite3* database = nullptr;
  sqlite3_stmt* insert = nullptr;
  std::filesystem::create_directories(directory);
  const auto run = [&](const char* sql) {
    must(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK,
         "plain SQLite refused");
  };
  must(sqlite3_open((directory + "/plain.db").c_str(), &database) == SQLITE_OK,
       "plain SQLite does not open");
  run("PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
      "secure_delete=OFF");
  run("CREATE TABLE ev(seq INTEGER PRIMARY KEY, id TEXT, body TEXT)");
  must(sqlite3_prepare_v2(
           database, "INSERT INTO ev(id, body) VALUES(?1, ?2)", -1, &insert, nullptr) == SQLITE_OK,
       "plain SQLite does not prepare");
  const std::string body(kBodyBytes, 'x');
  std::mutex mutex;
  const double result = rate(seconds, batch, [&](int sender, int n) {
    const std::lock_guard lock(mutex);
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < batch; ++i) {
      const std::string id = fmt::format("{}-{}-{}", sender, n, i);
      sqlite3_bind_text(insert, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
      sqlite3_bind_text(insert, 2, body.data(), static_cast<int>(body.size()), SQLITE_STATIC);
      must(sqlite3_step(insert) == SQLITE_DONE, "plain SQLite does not insert");
      sqlite3_reset(insert);
    }
    run("COMMIT");
  });
  sqlite3_finalize(insert);
  sqlite3_close(database);
  return result;
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown processor";
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 2;
  std::string directory =
      (argc > 2 ? std::filesystem::path(argv[2]) : std::filesystem::temp_directory_path()) /
      "bench-XXXXXX";
  must(mkdtemp(directory.data()) != nullptr, "no directory to work in");
  utsname system{};
  uname(&system);
  fmt::print("{} x {}, {} {}, SQLite {}, {} senders, {}-octet bodies, durability full, {} s each\n",
             std::thread::hardware_concurrency(),
             processor(),
             system.sysname,
             system.release,
             sqlite3_libversion(),
             kSenders,
             kBodyBytes,
             seconds);
  fmt::print("{:>6} {:>14} {:>18} {:>7}\n", "batch", "store ev/s", "plain SQLite ev/s", "ratio");
  for (const int batch : {1, 16, 64, 256}) {
    const double plain = plain_rate(fmt::format("{}/plain-{}", directory, batch), seconds, batch);
    const double port = port_rate(fmt::format("{}/store-{}", directory, batch), seconds, batch);
    fmt::print("{:>6} {:>14.0f} {:>18.0f} {:>7.2f}\n", batch, port, plain, port / plain);
  }
  std::filesystem::remove_all(directory);
  return 0;
}
