// SPDX-License-Identifier: MIT
// How a replay cuts what it reads into batches.
#include <fmt/format.h>

#include <fstream>

#include "core/delivery/replay.h"
#include "tests/support/scripted_http.h"
#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

/// Takes so many events at once, and no event above an octet limit of its own.
class NarrowTarget final : public ReplayTarget {
 public:
  [[nodiscard]] std::size_t max_batch() const override { return 500; }
  Result<std::vector<std::string>> send(std::span<ReplayItem> items) override {
    std::size_t octets = 0;
    bool fits = items.size() <= most_events;
    for (const ReplayItem& item : items) {
      octets += item.event.size();
      fits = fits && item.event.size() <= most_octets;
    }
    if (!fits) {
      return Failure({ErrorCode::TooLarge, "too much", "", "http_413 request_too_large"});
    }
    batches.push_back(items.size());
    largest = std::max(largest, octets);
    for (const ReplayItem& item : items) {
      order.push_back(item.position);
    }
    return std::vector<std::string>(items.size());
  }

  std::size_t most_events = 500;
  std::size_t most_octets = std::size_t{1} << 30U;
  std::size_t largest = 0;
  std::vector<std::size_t> batches;
  std::vector<std::uint64_t> order;
};

struct Run {
  test::TempDir directory;
  test::FakeClock clock;
  SeededRandom random{3};
  NarrowTarget target;
  ReplayOptions options{.in_flight = 1, .batch = 500};
  std::string lines;

  void write(int events, std::size_t octets, const std::string& name = "x") {
    for (int i = 0; i < events; ++i) {
      lines +=
          fmt::format("{{\"type\":\"track\",\"event\":\"{}\",\"userId\":\"u\",\"pad\":\"{}\"}}\n",
                      name,
                      std::string(octets, 'a'));
    }
  }
  ReplaySummary replay() {
    const std::string path = directory / "events.jsonl";
    std::ofstream(path, std::ios::binary) << lines;
    auto source = open_replay_file(path, {});
    REQUIRE(source);
    const ReplayHooks hooks{.wait = [](std::chrono::milliseconds) { return true; },
                            .interrupted = [] { return false; },
                            .progress = [](const ReplayCounts&) {}};
    const auto summary = Replay(**source, target, options, hooks, clock, random).run();
    REQUIRE(summary);
    return *summary;
  }
};

TEST_CASE("a batch of a replay is bounded by octets", "[delivery]") {
  Run run;
  run.write(300, 12'000);

  const ReplaySummary summary = run.replay();

  CHECK(summary.counts.sent == 300);
  CHECK(run.target.largest <= std::size_t{1} << 20U);
  CHECK(run.target.batches.size() == 4);
}

TEST_CASE("what a target finds too large is sent in halves, in order", "[delivery]") {
  Run run;
  run.target.most_events = 100;
  run.target.most_octets = 5'000;
  run.write(70, 10);
  run.write(1, 6'000);
  run.write(79, 10);

  const ReplaySummary summary = run.replay();

  CHECK(summary.counts.sent == 149);
  CHECK(summary.counts.failed == 1);
  CHECK(summary.failures.at("http_413 request_too_large") == 1);
  CHECK(std::ranges::is_sorted(run.target.order));
}

TEST_CASE("a daemon that takes less, or does not name all it refuses, is sent fewer",
          "[delivery]") {
  const auto [status, body] = GENERATE(table<int, std::string>(
      {{413, R"({"code":"too_many_events"})"},
       {200, R"({"rejected":101,"errors":[{"index":0,"code":"x"}],"errorsTruncated":true})"}}));
  test::ScriptedHttp http;
  const test::FakeClock clock;
  http.follow([status = status, body = body](const transport::OutgoingRequest&) {
    return transport::IncomingResponse{.status = status, .body = body};
  });
  std::vector<ReplayItem> items(2, {.event = "{}"});

  const auto sent = replay_to_daemon(http, "http://127.0.0.1:9100", {}, clock)->send(items);

  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == ErrorCode::TooLarge);
}

TEST_CASE("a limit counts the events that are chosen, not those passed over", "[delivery]") {
  Run run;
  run.write(20, 1, "other");
  run.write(20, 1, "wanted");
  run.options.limit = 7;
  run.options.where = [](json::Value event) {
    return event.find("event")->as_string() == "wanted";
  };

  const ReplaySummary summary = run.replay();

  CHECK(summary.counts.sent == 7);
  CHECK(summary.counts.read == 27);
  CHECK(summary.counts.skipped == 20);
  CHECK(summary.sent_now == 7);
}

}  // namespace
}  // namespace edge::delivery
