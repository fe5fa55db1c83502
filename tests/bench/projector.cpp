// SPDX-License-Identifier: MIT
// How many events per second the projector folds: into memory alone, and with everything written to
// the embedded store, without and with ten segments over events, windows and traits, with the
// processor time of all threads; then how long a profile with its segments takes to read. 200,000
// events of about 400 bytes by 20,000 people, of whom a few are busy.
#include "core/profiles/projector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "core/profiles/fold.h"
#include "core/profiles/profiles.h"
#include "core/storage/open.h"
#include "tests/support/empty_store.h"
#include "tests/support/fakes.h"

namespace {

using edge::profiles::Identifier;

constexpr std::size_t kEvents = 200'000;
constexpr std::size_t kPeople = 20'000;
constexpr std::size_t kPiece = 2'000;

std::string event(std::size_t number, edge::Random& random) {
  const std::uint64_t person =
      random.below(4) == 0 ? random.below(100) : random.below(kPeople);  // a quarter by the busy
  const std::string head = fmt::format(
      R"({{"messageId":"m-{}","userId":"user-{}","anonymousId":"device-{}","timestamp":"{}",)"
      R"("context":{{"page":{{"path":"/shop/{}","url":"https://shop.example/shop/{}"}},)"
      R"("userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0"}},)",
      number,
      person,
      person,
      edge::events::format_time(edge::from_ms(1'770'000'000'000 + static_cast<int>(number) * 50)),
      number % 50,
      number % 50);
  if (random.below(10) == 0) {
    return head + fmt::format(R"("type":"identify","traits":{{"plan":"pro","visits":{},)"
                              R"("email":"user-{}@shop.example"}}}})",
                              number,
                              person);
  }
  return head + R"("type":"track","event":"Product Viewed","properties":{"price":19.9,"sku":"x"}})";
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times from its construction on.
class Watch {
 public:
  void report(const char* what) const {
    const double seconds = seconds_since(start_);
    const double processor =
        static_cast<double>(std::clock() - processor_) / static_cast<double>(CLOCKS_PER_SEC);
    std::printf("%-36s %9.0f events/s   %6.2f us/event of processor time\n",
                what,
                static_cast<double>(kEvents) / seconds,
                processor * 1e6 / static_cast<double>(kEvents));
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::clock_t processor_ = std::clock();
};

void fold_in_memory(const std::vector<std::string>& log) {
  edge::test::EmptyStore store;
  edge::profiles::Ledger ledger(store, std::size_t{256} << 20U);
  const edge::profiles::Rules rules;
  const Watch watch;
  std::uint64_t offset = 0;
  for (const std::string& body : log) {
    const auto decoded = edge::events::Event::decode(body);
    const auto ids = identifiers_of(*decoded, rules);
    if (!fold(ledger, rules, *decoded, ids, {.lane = 0, .offset = ++offset})) {
      std::abort();
    }
    if (offset % kPiece == 0) {
      static_cast<void>(ledger.take());
      ledger.written();
    }
  }
  watch.report("fold in memory");
}

/// Segments of every kind; most events touch several of them.
std::vector<edge::profiles::Definition> segments() {
  static constexpr std::array kRules = {R"(plan = pro)",
                                        R"(count("Product Viewed", 7d) >= 5)",
                                        R"(count("Product Viewed", 1h) >= 3)",
                                        R"(count("Product Viewed", 2h, 1h) >= 1)",
                                        R"(sum("Product Viewed", "price", 30d) > 100)",
                                        R"(last_seen(any()) > 30m)",
                                        R"(seq("Product Viewed", "Product Viewed", max: 10m, 1d))",
                                        R"(visits > 1000 and identifier.email exists)",
                                        R"(profile.sessionCount >= 2)",
                                        R"(segment("s1") and not segment("s4"))"};
  std::vector<edge::profiles::Definition> all;
  for (const char* rule : kRules) {
    edge::json::Writer out;
    out.begin_object().member("name", fmt::format("s{}", all.size())).member("when", rule);
    const auto document = edge::json::Document::parse(out.end_object().take(), edge::json::kApi);
    all.push_back(edge::profiles::read_definition(document->root()).value());
  }
  return all;
}

/// Resident memory of this program in MiB.
long resident_mib() {
  long pages = 0;
  long ignored = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &ignored, &pages) != 2) {
      pages = 0;
    }
    std::fclose(file);
  }
  return pages * 4 / 1024;
}

void read_profiles(edge::storage::Store& store, const edge::profiles::SegmentRegistry& registry) {
  const edge::profiles::Profiles profiles(store, registry);
  const edge::SystemClock clock;
  std::vector<double> times;
  edge::SeededRandom random(3);
  for (int i = 0; i < 5'000; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto user = fmt::format("user-{}", random.below(kPeople));
    const auto found = profiles.find(edge::profiles::Name::UserId, user);
    if (found && *found) {
      static_cast<void>(profiles.document(**found, clock.now()));
      times.push_back(seconds_since(start) * 1e6);
    }
  }
  std::ranges::sort(times);
  std::printf("  read one profile: p50 %.0f us, p99 %.0f us\n",
              times[times.size() / 2],
              times[times.size() * 99 / 100]);
}

void fold_and_write(const std::vector<std::string>& log,
                    std::size_t cache_bytes,
                    std::vector<edge::profiles::Definition> definitions = {}) {
  const edge::test::TempDir directory;
  const edge::SystemClock clock;
  edge::SystemRandom random;
  auto store = edge::storage::open("sqlite:" + (directory / "data"), {}, clock, random);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message.c_str());
    std::exit(1);
  }
  for (std::size_t at = 0; at < log.size(); at += kPiece) {
    edge::storage::Append append{.stream = "events", .records = {}, .unique = false};
    for (std::size_t i = at; i < at + kPiece; ++i) {
      append.records.push_back({.source = "bench", .id = fmt::format("m-{}", i), .body = log[i]});
    }
    edge::storage::Batch batch;
    batch.appends.push_back(std::move(append));
    if (!(*store)->commit(std::move(batch), edge::storage::Deadline::in(std::chrono::minutes{1}))) {
      std::abort();
    }
  }
  const std::size_t count = definitions.size();
  edge::profiles::SegmentRegistry registry(**store, {});
  if (!registry.load(std::move(definitions), false)) {
    std::abort();
  }
  edge::profiles::Projector projector(**store, registry, clock, {.cache_bytes = cache_bytes});
  const Watch watch;
  if (!projector.drain()) {
    std::abort();
  }
  watch.report(
      fmt::format("written, cache {} MiB, {} segments", cache_bytes >> 20U, count).c_str());
  std::printf("  %llu flushes, %llu profiles due by time, %ld MiB resident\n",
              static_cast<unsigned long long>(projector.counters().flushes),
              static_cast<unsigned long long>(projector.counters().transitions_due),
              resident_mib());
  read_profiles(**store, registry);
}

}  // namespace

int main() {
  edge::SeededRandom random(7);
  std::vector<std::string> log(kEvents);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kEvents; ++i) {
    log[i] = event(i, random);
    bytes += log[i].size();
  }
  std::printf("%u cores, %zu events of %zu bytes, %zu people\n",
              std::thread::hardware_concurrency(),
              kEvents,
              bytes / kEvents,
              kPeople);
  fold_in_memory(log);
  fold_and_write(log, std::size_t{36} << 20U);
  fold_and_write(log, std::size_t{4} << 20U);
  fold_and_write(log, std::size_t{64} << 20U, segments());
  return 0;
}
