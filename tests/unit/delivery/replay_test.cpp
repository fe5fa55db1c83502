// SPDX-License-Identifier: MIT
#include "core/delivery/replay.h"

#include <zlib.h>

#include <fstream>
#include <map>

#include "core/delivery/csv_event.h"
#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;

/// Keeps what arrives, answers what the test says.
class Collector final : public ReplayTarget {
 public:
  [[nodiscard]] std::size_t max_batch() const override { return 500; }
  Result<std::vector<std::string>> send(std::span<ReplayItem> items) override {
    const std::lock_guard lock(mutex);
    ++calls;
    if (answer) {
      if (auto error = answer(calls)) {
        return Failure(*error);
      }
    }
    std::vector<std::string> failures;
    for (const ReplayItem& item : items) {
      const auto document = json::Document::parse(item.event, json::kEvent);
      const std::string id(*document->root().find("messageId")->as_string());
      failures.emplace_back(id == refuses ? "bad" : "");
      if (id != refuses) {
        ++got[id];
        order.push_back(item.event);
      }
    }
    return failures;
  }

  std::mutex mutex;
  int calls = 0;
  std::function<std::optional<Error>(int call)> answer;
  std::string refuses;
  std::map<std::string, int> got;
  std::vector<std::string> order;
};

struct Bench {
  test::TempDir directory;
  test::FakeClock clock;
  SeededRandom random{3};
  Collector target;
  ReplayOptions options{.in_flight = 1, .batch = 10, .checkpoint = directory.path() / "state.json"};
  std::atomic<int> stop_after{-1};  // batches
  std::atomic<std::int64_t> waited_ms{0};

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(directory / name, std::ios::binary) << content;
    return directory / name;
  }
  std::string write_events(int n) const {
    std::string text;
    for (int i = 0; i < n; ++i) {
      text += R"({"type":"track","event":"x","userId":"u","messageId":"m)" + std::to_string(i) +
              "\"}\n";
    }
    return write("events.jsonl", text);
  }
  Result<ReplaySummary> run(ReplaySource& source) {
    ReplayHooks hooks;
    hooks.wait = [this](std::chrono::milliseconds time) {
      waited_ms += time.count();
      clock.advance(time);
      return true;
    };
    hooks.interrupted = [this] { return stop_after >= 0 && target.calls >= stop_after; };
    hooks.progress = [](const ReplayCounts&) {};
    Replay replay(source, target, options, hooks, clock, random);
    return replay.run();
  }
  Result<ReplaySummary> run_file(const std::string& path, ColumnMap columns = {}) {
    auto source = open_replay_file(path, std::move(columns));
    REQUIRE(source);
    return run(**source);
  }
};

TEST_CASE("every event of a file is sent once and the checkpoint goes away", "[delivery]") {
  Bench bench;
  bench.options.in_flight = 4;

  const auto summary = bench.run_file(bench.write_events(95));

  REQUIRE(summary);
  CHECK(summary->counts.read == 95);
  CHECK(summary->counts.sent == 95);
  CHECK(bench.target.got.size() == 95);
  CHECK(bench.target.calls == 10);
  CHECK_FALSE(std::filesystem::exists(bench.options.checkpoint));
}

TEST_CASE("an interrupted run is resumed without leaving anything out", "[delivery]") {
  for (int stop = 1; stop <= 9; ++stop) {
    Bench bench;
    bench.options.in_flight = static_cast<std::size_t>(stop % 3 + 1);
    const std::string file = bench.write_events(100);
    bench.stop_after = stop;
    const auto cut = bench.run_file(file);
    REQUIRE(cut);
    REQUIRE(cut->interrupted);
    bench.stop_after = -1;

    const auto again = bench.run_file(file);
    REQUIRE_FALSE(again);
    CHECK(again.error().reason == "checkpoint_unfinished");
    bench.options.resume = true;
    const auto rest = bench.run_file(file);

    REQUIRE(rest);
    CHECK(bench.target.got.size() == 100);
    CHECK(rest->counts.read == 100);
    CHECK(rest->counts.sent == 100);
  }
}

TEST_CASE("a run that was interrupted before anything was taken is resumed too", "[delivery]") {
  Bench bench;
  const std::string file = bench.write_events(20);
  bench.stop_after = 0;
  REQUIRE(bench.run_file(file)->interrupted);
  bench.stop_after = -1;
  bench.options.resume = true;

  const auto rest = bench.run_file(file);

  REQUIRE(rest);
  CHECK(rest->counts.sent == 20);
  CHECK(bench.target.calls == 2);
}

TEST_CASE("a source that changed is not resumed, a restart begins anew", "[delivery]") {
  Bench bench;
  const std::string file = bench.write_events(100);
  bench.stop_after = 2;
  REQUIRE(bench.run_file(file));
  bench.stop_after = -1;
  bench.write_events(101);
  bench.options.resume = true;

  CHECK(bench.run_file(file).error().reason == "source_changed");
  bench.options.resume = false;
  bench.options.restart = true;
  CHECK(bench.run_file(file)->counts.sent == 101);
  bench.options.restart = false;
  bench.options.resume = true;
  CHECK(bench.run_file(file).error().reason == "checkpoint_missing");
  bench.write("state.json", "{}");
  CHECK(bench.run_file(file).error().reason == "checkpoint_invalid");
}

TEST_CASE("repeated ids are sent once unless told otherwise", "[delivery]") {
  Bench bench;
  const std::string event = R"({"type":"track","event":"x","userId":"u","messageId":"same"})";
  const std::string file = bench.write("twice.jsonl", event + "\n" + event + "\n\n" + event);

  CHECK(bench.run_file(file)->counts.deduplicated == 2);
  CHECK(bench.target.got["same"] == 1);
  bench.options.dedupe.clear();
  CHECK(bench.run_file(file)->counts.sent == 3);
}

TEST_CASE("bad rows are counted, named and skipped, or end the run", "[delivery]") {
  Bench bench;
  const std::string good = R"({"type":"track","event":"x","userId":"u"})";
  const std::string file = bench.write("mixed.jsonl", good + "\nnonsense\n" + good + "\n[1]\n");

  const auto summary = bench.run_file(file);
  CHECK(summary->counts.sent == 2);
  CHECK(summary->counts.failed == 2);
  CHECK(summary->first_failure == "row 2: it is no JSON object");
  bench.options.on_error = ReplayOptions::OnError::Stop;
  const auto stopped = bench.run_file(file);
  CHECK(stopped->stopped);
  CHECK(stopped->counts.sent == 1);
}

TEST_CASE("events without an id get the same one in every run", "[delivery]") {
  Bench bench;
  const std::string file =
      bench.write("bare.jsonl", "{\"type\":\"track\"}\n{\"type\":\"track\"}\n");

  bench.run_file(file);
  bench.run_file(file);

  CHECK(bench.target.got.size() == 2);
  CHECK(bench.target.got.begin()->second == 2);
}

TEST_CASE("a refused event fails alone", "[delivery]") {
  Bench bench;
  bench.target.refuses = "m7";

  const auto summary = bench.run_file(bench.write_events(20));

  CHECK(summary->counts.sent == 19);
  CHECK(summary->counts.failed == 1);
  CHECK(summary->failures.at("bad") == 1);
}

TEST_CASE("a target that is busy slows the run, one that stays away fails it", "[delivery]") {
  Bench bench;
  bench.target.answer = [](int call) -> std::optional<Error> {
    if (call <= 5) {
      return Error{ErrorCode::RateLimited, "slow down", "", "", 7s};
    }
    return call == 6 ? std::optional(Error{ErrorCode::Unavailable, "away"}) : std::nullopt;
  };
  const std::string file = bench.write_events(10);

  CHECK(bench.run_file(file)->counts.sent == 10);
  CHECK(bench.waited_ms >= 35'000);
  bench.target.answer = [](int) { return Error{ErrorCode::Unavailable, "away"}; };
  bench.target.calls = 0;
  const auto gone = bench.run_file(file);
  CHECK(gone->counts.failed == 10);
  CHECK(bench.target.calls == 4);
  bench.target.answer = [](int) { return Error{ErrorCode::Unauthenticated, "who"}; };
  CHECK(bench.run_file(file).error().code == ErrorCode::Unauthenticated);
}

TEST_CASE("the spacing of events is kept, divided or replaced by a rate", "[delivery]") {
  Bench bench;
  std::string text;
  for (int i = 0; i < 4; ++i) {
    text += R"({"type":"track","messageId":"m)" + std::to_string(i) +
            R"(","timestamp":"2026-01-01T00:00:)" + std::to_string(10 + i * 10) + ".000Z\"}\n";
  }
  const std::string file = bench.write("spaced.jsonl", text);

  bench.options.speed = 1;
  bench.run_file(file);
  CHECK(bench.waited_ms == 30'000);
  bench.waited_ms = 0;
  bench.options.speed = 10;
  bench.run_file(file);
  CHECK(bench.waited_ms == 3'000);
  bench.waited_ms = 0;
  bench.options.speed = 0;
  bench.options.rate = 2;
  bench.run_file(file);
  CHECK(bench.waited_ms == 1'500);
}

TEST_CASE("times are filtered, shifted or set", "[delivery]") {
  Bench bench;
  const std::string file = bench.write(
      "times.jsonl",
      "{\"type\":\"track\",\"messageId\":\"a\",\"timestamp\":\"2020-01-01T00:00:00.000Z\"}\n"
      "{\"type\":\"track\",\"messageId\":\"b\",\"timestamp\":\"2020-01-01T00:01:00.000Z\"}\n");

  bench.options.since = events::parse_time("2020-01-01T00:00:30Z");
  CHECK(bench.run_file(file)->counts.skipped == 1);
  bench.options.since.reset();
  bench.target.order.clear();
  bench.options.timestamps = ReplayOptions::Timestamps::Shift;
  bench.run_file(file);
  REQUIRE(bench.target.order.size() == 2);
  CHECK(bench.target.order[0].find("2023-11-14T22:13:20.000Z") != std::string::npos);
  CHECK(bench.target.order[1].find("2023-11-14T22:14:20.000Z") != std::string::npos);
}

TEST_CASE("CSV and gzipped files become events", "[delivery]") {
  Bench bench;
  const std::string csv =
      bench.write("list.csv", "uid,event,properties.plan,amount\nu1,\"A, b\",pro,5\nu2,C,,\n");
  REQUIRE(bench.run_file(csv, {{"userId", "uid"}})->counts.sent == 2);
  CHECK(bench.target.order[0].find(R"("event":"A, b","userId")") == std::string::npos);
  const auto event = events::Event::decode(bench.target.order[0]);
  CHECK(event->user_id() == "u1");
  CHECK(event->event() == "A, b");
  CHECK(event->properties()->find("amount")->as_string() == "5");
  CHECK(event->properties()->find("plan")->as_string() == "pro");

  const std::string packed = bench.directory / "packed.jsonl.gz";
  gzFile file = gzopen(packed.c_str(), "wb");
  gzputs(file, "{\"type\":\"track\",\"messageId\":\"z\"}\n");
  gzclose(file);
  CHECK(bench.run_file(packed)->counts.sent == 1);
  CHECK(bench.target.got["z"] == 1);
}

TEST_CASE("one column can fill several fields, a field takes one column", "[delivery]") {
  Bench bench;
  const std::string csv = bench.write("list.csv", "id,type,mail\nu1,identify,a@x.example\n");

  REQUIRE(bench.run_file(csv, {{"userId", "id"}, {"messageId", "id"}, {"traits.login", "mail"}})
              ->counts.sent == 1);

  const auto event = events::Event::decode(bench.target.order[0]);
  CHECK(event->user_id() == "u1");
  CHECK(event->message_id() == "u1");
  CHECK(event->traits()->raw() == R"({"login":"a@x.example"})");
  auto twice = open_replay_file(csv, {{"userId", "id"}, {"userId", "mail"}});
  CHECK((*twice)->next().error().message == "userId is mapped twice, it takes one column");
}

TEST_CASE("a file that cannot be used is refused by name", "[delivery]") {
  const Bench bench;
  const std::string csv = bench.write("a.csv", "x\n1\n");

  CHECK(open_replay_file(bench.directory / "none.jsonl", {}).error().code ==
        ErrorCode::InvalidArgument);
  CHECK(open_replay_file(bench.write("a.jsonl", ""), {{"userId", "x"}}).error().field == "map");
  auto source = open_replay_file(csv, {{"userId", "missing"}});
  CHECK((*source)->next().error().field == "map");
}

TEST_CASE("the log and dead letters are replayed, letters leave when they are taken",
          "[delivery]") {
  DeliveryBench world;
  Bench bench;
  bench.options.checkpoint.clear();
  world.append("a", "u1");
  world.append("b", "u2");
  world.http.follow(test::ScriptedHttp::answering(400));
  world.forwarder()->work();

  CHECK(bench.run(*replay_store(world.store))->counts.sent == 2);
  bench.target.refuses = "a";
  const auto source = replay_letters(shelf_of(world.letters, "hook"), false);
  const auto summary = bench.run(*source);
  CHECK(summary->counts.sent == 1);
  REQUIRE(world.dead().size() == 1);
  CHECK(world.dead()[0].replays == 1);
  bench.options.max_replays = 1;
  CHECK(bench.run(*replay_letters(shelf_of(world.letters, ""), false))->counts.quarantined == 1);
}

TEST_CASE("dead letters are replayed oldest first and may all be kept", "[delivery]") {
  DeliveryBench world;
  Bench bench;
  bench.options.checkpoint.clear();
  for (const char* id : {"a", "b", "c"}) {
    world.append(id, "u");
    world.http.follow(test::ScriptedHttp::answering(400));
    world.forwarder()->work();
    world.clock.advance(1s);
  }
  REQUIRE(world.dead().size() == 3);
  bench.target.refuses = "b";

  const auto summary = bench.run(*replay_letters(shelf_of(world.letters, ""), true));

  REQUIRE(summary);
  CHECK(summary->counts.sent == 2);
  CHECK(summary->counts.failed == 1);
  REQUIRE(bench.target.order.size() == 2);
  CHECK(bench.target.order[0].find(R"("messageId":"a")") != std::string::npos);
  CHECK(bench.target.order[1].find(R"("messageId":"c")") != std::string::npos);
  REQUIRE(world.dead().size() == 3);
  for (const DeadLetter& letter : world.dead()) {
    CHECK(letter.replays == 0);
  }
}

TEST_CASE("a dead letter that somebody removes during a replay is passed over", "[delivery]") {
  DeliveryBench world;
  Bench bench;
  bench.options.checkpoint.clear();
  bench.options.batch = 1;
  world.append("a", "u1");
  world.append("b", "u2");
  world.http.follow(test::ScriptedHttp::answering(400));
  world.forwarder()->work();
  REQUIRE(world.dead().size() == 2);
  bench.target.answer = [&](int) -> std::optional<Error> {
    for (const DeadLetter& letter : world.dead()) {
      CHECK(world.letters.erase(letter.id, DeadLetters::Leaving::Discarded));
    }
    return std::nullopt;
  };

  const auto summary = bench.run(*replay_letters(shelf_of(world.letters, ""), false));

  REQUIRE(summary);
  CHECK(summary->counts.sent >= 1);
  CHECK(world.dead().empty());
}

TEST_CASE("a stored event that cannot be read is named and does not stop the others",
          "[delivery]") {
  DeliveryBench world;
  Bench bench;
  bench.options.checkpoint.clear();
  world.append("a", "u1");
  storage::Batch batch;
  batch.appends.push_back(
      {.stream = events::kStream, .records = {{.id = "b", .body = "{\"x\":\"\xFF\"}"}}});
  REQUIRE(world.store.commit(std::move(batch), storage::Deadline::in(std::chrono::seconds(1))));
  world.append("c", "u2");

  const auto summary = bench.run(*replay_store(world.store));

  REQUIRE(summary);
  CHECK(summary->counts.sent == 2);
  CHECK(summary->counts.failed == 1);
  CHECK(summary->first_failure == "item 2 cannot be read: text is not UTF-8");
  bench.options.on_error = ReplayOptions::OnError::Stop;
  const auto stopped = bench.run(*replay_store(world.store));
  CHECK(stopped->stopped);
  CHECK(stopped->counts.sent == 1);
}

TEST_CASE("a destination takes replayed events by its own mapping", "[delivery]") {
  DeliveryBench world;
  Bench bench;
  test::SequenceIds ids;
  const auto target = replay_to_destination(world.entry(), world.http, world.clock, ids);
  const auto send = [&](const std::string& event) {
    std::vector<ReplayItem> items{{.event = event}};
    return target->send(items);
  };
  const std::string good = R"({"type":"track","event":"x","userId":"u","messageId":"m"})";

  CHECK(send(good)->at(0).empty());
  CHECK(world.sent() == Ids{"m"});
  CHECK(send(R"({"type":"track","userId":"u"})")->at(0) == "event_not_defined");
  world.http.follow(test::ScriptedHttp::answering(404));
  CHECK(send(good)->at(0) == "http_404");
  world.http.follow(test::ScriptedHttp::answering(429, {{"retry-after", "9"}}));
  CHECK(send(good).error().retry_after == 9s);
  world.http.follow(test::ScriptedHttp::answering(401));
  CHECK(send(good).error().code == ErrorCode::Unauthenticated);
}

TEST_CASE("a daemon is sent batches and names what it refuses", "[delivery]") {
  test::ScriptedHttp http;
  const test::FakeClock clock(from_ms(1'784'000'000'000));
  http.follow([](const transport::OutgoingRequest&) {
    return transport::IncomingResponse{
        .status = 200,
        .body = R"({"success":true,"accepted":1,"errors":[{"index":1,"code":"id_required"}]})"};
  });
  const auto target =
      replay_to_daemon(http, "http://127.0.0.1:9100/", {{"X-Write-Key", "k"}}, clock);
  std::vector<ReplayItem> items{{.event = R"({"messageId":"a"})"},
                                {.event = R"({"messageId":"b"})"}};

  CHECK(*target->send(items) == Ids{"", "id_required"});
  CHECK(http.requests()[0].url == "http://127.0.0.1:9100/v1/batch?verbose=1");
  CHECK(http.requests()[0].body == R"({"batch":[{"messageId":"a"},{"messageId":"b"}]})");
  http.follow(test::ScriptedHttp::answering(503, {{"retry-after", "2"}}));
  CHECK(target->send(items).error().retry_after == 2s);
  http.follow(
      test::ScriptedHttp::answering(429, {{"retry-after", "Tue, 14 Jul 2026 03:33:29 GMT"}}));
  CHECK(target->send(items).error().retry_after == 9s);
  http.follow(test::ScriptedHttp::answering(401));
  CHECK(target->send(items).error().code == ErrorCode::Unauthenticated);
}

}  // namespace
}  // namespace edge::delivery
