// SPDX-License-Identifier: MIT
// A replay to a destination goes by what the answer says of each event.
#include "core/delivery/replay_target.h"

#include <fstream>

#include "core/delivery/replay.h"
#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::ScriptedHttp;
using transport::IncomingResponse;
using transport::OutgoingRequest;

/// A replay of a file to the destination of a bench.
struct ReplayBench {
  ReplayBench(const std::string& type, const std::string& config) : world(type, config) {}

  ReplaySummary run(const std::string& lines) {
    std::ofstream(directory / "events.jsonl", std::ios::binary) << lines;
    const auto source = open_replay_file(directory / "events.jsonl", {});
    REQUIRE(source);
    const auto target = replay_to_destination(world.entry(), world.http, world.clock, ids);
    const ReplayHooks hooks{.wait =
                                [this](std::chrono::milliseconds time) {
                                  world.clock.advance(time);
                                  return true;
                                },
                            .interrupted = [] { return false; },
                            .progress = [](const ReplayCounts&) {},
                            .held =
                                [this](std::size_t events, std::chrono::milliseconds time) {
                                  held += events;
                                  held_for = time;
                                }};
    Replay replay(**source, *target, {.in_flight = 1}, hooks, world.clock, random);
    const auto summary = replay.run();
    REQUIRE(summary);
    return *summary;
  }

  DeliveryBench world;
  test::TempDir directory;
  test::SequenceIds ids;
  SeededRandom random{3};
  std::size_t held = 0;
  std::chrono::milliseconds held_for{0};
};

std::string tracks(int n) {
  std::string lines;
  for (int i = 0; i < n; ++i) {
    lines += R"({"type":"track","event":"x","userId":"u","messageId":"m)" + std::to_string(i) +
             R"(","timestamp":"2023-11-14T22:13:20.000Z"})" + "\n";
  }
  return lines;
}

bool holds(const OutgoingRequest& request, const std::string& id) {
  return request.body.find("\"" + id + "\"") != std::string::npos;
}

std::size_t count_of(const OutgoingRequest& request) {
  std::size_t count = 0;
  for (std::size_t at = request.body.find("insert_id"); at != std::string::npos;
       at = request.body.find("insert_id", at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("what a destination throttles waits, the rest of a replayed batch goes at once",
          "[delivery]") {
  ReplayBench bench("amplitude", R"({"apiKey":"k"})");
  int calls = 0;
  bench.world.http.follow([&](const OutgoingRequest&) {
    return ++calls == 1
               ? IncomingResponse{.status = 400, .body = R"({"code":400,"throttled_events":[7]})"}
               : IncomingResponse{.status = 200, .body = "{}"};
  });

  const ReplaySummary summary = bench.run(tracks(20));

  const auto requests = bench.world.http.requests();
  REQUIRE(requests.size() == 3);
  CHECK(count_of(requests[0]) == 20);
  CHECK(count_of(requests[1]) == 19);
  CHECK_FALSE(holds(requests[1], "m7"));
  CHECK(count_of(requests[2]) == 1);
  CHECK(holds(requests[2], "m7"));
  CHECK(summary.counts.sent == 20);
  CHECK(bench.held == 1);
  CHECK(bench.held_for == 30s);
}

TEST_CASE("an event that stays throttled is given up, those that were taken are not",
          "[delivery]") {
  ReplayBench bench("amplitude", R"({"apiKey":"k"})");
  bench.world.http.follow([&](const OutgoingRequest& request) {
    return holds(request, "m1")
               ? IncomingResponse{.status = 400,
                                  .body = count_of(request) == 1 ? R"({"throttled_events":[0]})"
                                                                 : R"({"throttled_events":[1]})"}
               : IncomingResponse{.status = 200, .body = "{}"};
  });

  const ReplaySummary summary = bench.run(tracks(3));

  CHECK(summary.counts.sent == 2);
  CHECK(summary.counts.failed == 1);
  CHECK(summary.failures.at("throttled") == 1);
  CHECK(bench.world.http.requests().size() == 5);
}

TEST_CASE("a hold that is too long for a command is a refusal", "[delivery]") {
  ReplayBench bench("amplitude", R"({"apiKey":"k"})");
  bench.world.http.follow([&](const OutgoingRequest& request) {
    return request.body.find("\"quick\"") == std::string::npos
               ? IncomingResponse{.status = 200, .body = "{}"}
               : IncomingResponse{
                     .status = 429,
                     .body = R"({"exceeded_daily_quota_users":{"quick":9},"throttled_events":[]})"};
  });
  const SteadyTime begun = bench.world.clock.steady();

  const ReplaySummary summary = bench.run(
      tracks(1) + R"({"type":"track","event":"x","userId":"quick","messageId":"q"})" + "\n");

  CHECK(summary.counts.sent == 1);
  CHECK(summary.counts.failed == 1);
  CHECK(bench.world.clock.steady() - begun < 1min);
}

TEST_CASE("a request of an event that was taken is not repeated in a replay", "[delivery]") {
  ReplayBench bench("mixpanel", R"({"token":"t","gzip":false,"add":["n"]})");
  int imports = 0;
  bench.world.http.follow([&](const OutgoingRequest& request) {
    const bool is_import = request.url.find("/import") != std::string::npos;
    imports += is_import ? 1 : 0;
    return is_import && imports == 1 ? IncomingResponse{.status = 503}
                                     : IncomingResponse{.status = 200, .body = "1"};
  });

  const ReplaySummary summary = bench.run(
      R"({"type":"identify","messageId":"i","userId":"u","anonymousId":"a","traits":{"n":1},)"
      R"("timestamp":"2023-11-14T22:13:20.000Z"})"
      "\n");

  std::size_t added = 0;
  for (const OutgoingRequest& request : bench.world.http.requests()) {
    added += request.url.find("/engage") != std::string::npos ? 1 : 0;
  }
  CHECK(added == 1);
  CHECK(imports == 2);
  CHECK(summary.counts.sent == 1);
}

}  // namespace
}  // namespace edge::delivery
