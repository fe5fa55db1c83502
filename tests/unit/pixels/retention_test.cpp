// SPDX-License-Identifier: MIT
#include "core/pixels/retention.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/events/ingest.h"
#include "core/metrics/metrics.h"
#include "core/pixels/mail_event.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace pixels = edge::pixels;
using namespace std::chrono_literals;

namespace {

/// A log with events of mails and others, a day between them.
struct Log {
  edge::test::FakeClock clock;
  edge::test::MemoryStore store{clock};
  edge::test::SequenceIds ids;
  edge::metrics::Registry metrics;
  edge::events::Ingest ingest{store, clock, ids, metrics, {}};
  edge::Time begin = clock.now();

  void add(std::string_view name, const std::string& source) {
    REQUIRE(
        ingest.accept_now(R"({"type":"track","userId":"u-1","event":")" + std::string(name) + "\"}",
                          {.source = source}));
    clock.advance(24h);
  }
  [[nodiscard]] std::uint64_t head() { return store.head(edge::events::kStream, 0); }
  [[nodiscard]] std::vector<std::string> names() {
    const auto slice =
        store.read({.stream = edge::events::kStream}, edge::storage::Deadline::in(1s));
    std::vector<std::string> names;
    for (const auto& record : slice->records) {
      names.push_back(record->name);
    }
    return names;
  }
};

}  // namespace

TEST_CASE("old opens and clicks go for good, others and young ones stay", "[pixels]") {
  Log log;
  log.add(pixels::kOpened, pixels::kSource);
  log.add("Email Opened", "api");  // somebody else's event of that name
  log.add("Order Completed", "api");
  log.add(pixels::kClicked, pixels::kSource);
  log.add(pixels::kUnsubscribed, pixels::kSource);
  log.add(pixels::kOpened, pixels::kSource);

  const auto none = pixels::remove_mail_events(log.store, log.begin, log.head());
  const auto some = pixels::remove_mail_events(log.store, log.begin + 4 * 24h, log.head());
  const auto again = pixels::remove_mail_events(log.store, log.begin + 4 * 24h, log.head());

  CHECK(none == 0U);
  CHECK(some == 2U);
  CHECK(again == 0U);
  CHECK(log.names() == std::vector<std::string>{
                           "Email Opened", "Order Completed", "Unsubscribed", "Email Opened"});

  CHECK(pixels::remove_mail_events(log.store, log.begin + 30 * 24h, log.head()) == 2U);
  CHECK(log.names() == std::vector<std::string>{"Email Opened", "Order Completed"});
}

TEST_CASE("what somebody has still to read is not taken away", "[pixels]") {
  Log log;
  log.add(pixels::kOpened, pixels::kSource);
  const std::uint64_t passed = log.head();
  log.add(pixels::kOpened, pixels::kSource);

  CHECK(pixels::remove_mail_events(log.store, log.clock.now(), passed) == 1U);
  CHECK(log.names().size() == 1);
  CHECK(pixels::remove_mail_events(log.store, log.clock.now(), log.head()) == 1U);
  CHECK(log.names().empty());
}
