// SPDX-License-Identifier: MIT
#include "core/events/ingest.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/events/batch.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace events = edge::events;
namespace json = edge::json;
namespace storage = edge::storage;
using edge::ErrorCode;
using Status = events::Outcome::Status;

namespace {

/// An ingest over a store in memory.
struct Bench {
  edge::test::FakeClock clock{edge::from_ms(1'773'489'600'000)};
  edge::test::SequenceIds ids;
  edge::metrics::Registry registry;
  edge::test::MemoryStore store{clock};
  events::Ingest ingest;

  explicit Bench(events::Ingest::Settings settings = {})
      : ingest(store, clock, ids, registry, std::move(settings)) {}

  std::vector<storage::RecordPointer> log() {
    return store.read({.stream = events::kStream}, storage::Deadline::in(std::chrono::seconds{1}))
        ->records;
  }
};

std::string tracked(const std::string& id) {
  return R"({"messageId":")" + id +
         R"(","type":"track","event":"Paid","userId":"u-1","properties":{"total":9.90}})";
}

}  // namespace

TEST_CASE("an accepted event is a record with routes and the canonical text", "[events]") {
  Bench bench({.router = [](std::string_view body) {
    return body.find(R"("event":"Paid")") == std::string_view::npos ? 0U : 5U;
  }});

  const auto outcome = bench.ingest.accept_now(tracked("m-1"), {.source = "shop", .hops = 2});

  REQUIRE(outcome);
  CHECK(outcome->status == Status::Stored);
  CHECK(outcome->id.text == "m-1");
  const auto log = bench.log();
  REQUIRE(log.size() == 1);
  CHECK(log[0]->id == "m-1");
  CHECK(log[0]->kind == 1);
  CHECK(log[0]->routes == 5);
  CHECK(log[0]->user == "u-1");
  CHECK(log[0]->name == "Paid");
  CHECK(log[0]->at == 1'773'489'600'000);
  const auto event = events::Event::decode(log[0]->body);
  REQUIRE(event);
  CHECK(event->source() == "shop");
  CHECK(event->hops() == 2);
  CHECK(event->properties()->find("total")->raw() == "9.90");
}

TEST_CASE("a repeated message id is a duplicate within its source only", "[events]") {
  Bench bench;

  CHECK(bench.ingest.accept_now(tracked("m-1"), {.source = "a"})->status == Status::Stored);
  CHECK(bench.ingest.accept_now(tracked("m-1"), {.source = "a"})->status == Status::Duplicate);
  CHECK(bench.ingest.accept_now(tracked("m-1"), {.source = "b"})->status == Status::Stored);

  CHECK(bench.log().size() == 2);
}

TEST_CASE("a bad event never spoils its neighbours", "[events]") {
  Bench bench;
  const auto body = json::Document::parse(R"({"batch":[)" + tracked("m-1") +
                                              R"(,{"type":"track","messageId":"bad"},7,)" +
                                              tracked("m-1") + "," + tracked("m-2") + "]}",
                                          json::kEvent);
  REQUIRE(body);
  const auto batch = events::read_batch(*body);
  REQUIRE(batch);

  const auto outcomes = bench.ingest.accept_now(batch->events, batch->envelope, {.source = "s"});

  REQUIRE(outcomes);
  REQUIRE(outcomes->size() == 5);
  CHECK((*outcomes)[0].status == Status::Stored);
  CHECK((*outcomes)[1].status == Status::Refused);
  CHECK((*outcomes)[1].id.text == "bad");
  CHECK((*outcomes)[1].error.reason == "event_not_defined");
  CHECK((*outcomes)[2].error.reason == "event_not_object");
  CHECK((*outcomes)[3].status == Status::Duplicate);
  CHECK((*outcomes)[4].status == Status::Stored);
  CHECK(bench.log().size() == 2);
}

TEST_CASE("an event without message id gets one", "[events]") {
  Bench bench;

  const auto outcome = bench.ingest.accept_now(R"({"type":"page","anonymousId":"a"})", {});

  REQUIRE(outcome);
  CHECK(outcome->id.text == "edge-00000000-0000-4000-8000-000000000001");
}

TEST_CASE("a store that takes nothing is told as unavailable with a time to wait", "[events]") {
  Bench bench;
  const auto [code, reason] =
      GENERATE(table<ErrorCode, std::string>({{ErrorCode::Unavailable, "full"},
                                              {ErrorCode::Internal, "corrupt"},
                                              {ErrorCode::InvalidArgument, "bad_request"}}));
  bench.store.refuse_commits(edge::Error{code, "no", {}, reason});

  const auto outcome = bench.ingest.accept_now(tracked("m-1"), {});

  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::Unavailable);
  CHECK(outcome.error().retry_after.count() >= 1);
}

TEST_CASE("a batch beyond the limits of one commit is stored in several", "[events]") {
  Bench bench;
  std::string text = R"({"batch":[)";
  constexpr int kEvents = 9'000;
  for (int i = 0; i < kEvents; ++i) {
    text += (i > 0 ? "," : "") + tracked("m-" + std::to_string(i % (kEvents - 1)));
  }
  const auto body = json::Document::parse(text + "]}", json::kEvent);
  const auto batch = events::read_batch(*body);

  const auto outcomes = bench.ingest.accept_now(batch->events, batch->envelope, {.source = "s"});

  REQUIRE(outcomes);
  CHECK(outcomes->front().status == Status::Stored);
  CHECK(outcomes->back().status == Status::Duplicate);
  CHECK(bench.store.head(events::kStream, 0) == kEvents - 1);
}

TEST_CASE("an empty batch is answered at once", "[events]") {
  Bench bench;

  const auto outcomes = bench.ingest.accept_now({}, {}, {});

  REQUIRE(outcomes);
  CHECK(outcomes->empty());
}

TEST_CASE("text that is no JSON is refused as bad_json", "[events]") {
  Bench bench;

  const auto outcome = bench.ingest.accept_now("{", {});

  REQUIRE(outcome);
  CHECK(outcome->error.reason == "bad_json");
}

TEST_CASE("a body that is no batch is refused", "[events]") {
  const auto reason = [](std::string_view text) {
    const auto body = json::Document::parse(text, json::kEvent);
    REQUIRE(body);
    const auto batch = events::read_batch(*body);
    return batch ? std::string("ok") : batch.error().reason;
  };

  CHECK(reason("7") == "body_not_object");
  CHECK(reason("{}") == "batch_required");
  CHECK(reason(R"({"batch":{}})") == "batch_required");
  CHECK(reason("[]") == "ok");
}

TEST_CASE("a shared context that would be copied without bound is refused", "[events]") {
  std::string text = R"({"context":{"x":")" + std::string(100'000, 'x') + R"("},"batch":[)";
  for (int i = 0; i < 1'000; ++i) {
    text += i > 0 ? ",0" : "0";
  }
  const auto body = json::Document::parse(text + "]}", json::kEvent);
  REQUIRE(body);

  const auto batch = events::read_batch(*body);

  REQUIRE_FALSE(batch);
  CHECK(batch.error().code == ErrorCode::TooLarge);
}

TEST_CASE("no text that nobody could read is appended, whoever wrote it", "[events]") {
  Bench bench({.placing = [](events::Draft& draft) {
    draft.context_patches.push_back({.member = "sessionId", .json = "\"\xFF\""});
    return edge::Time{};
  }});

  CHECK(bench.ingest.accept_now(tracked("m-1"), {})->status == Status::Stored);

  REQUIRE(bench.log().size() == 1);
  const auto event = events::Event::decode(bench.log()[0]->body);
  REQUIRE(event);
  CHECK(event->context()->find("sessionId")->as_string() == "\xEF\xBF\xBD");
}

TEST_CASE("names that differ by a NUL only are one name", "[events]") {
  Bench bench;

  const auto outcome = bench.ingest.accept_now(
      R"({"type":"track","event":"E","userId":"u","properties":{"a\u0000":1,"a":2,"b":3}})", {});

  REQUIRE(outcome);
  CHECK(outcome->status == Status::Stored);
  REQUIRE(bench.log().size() == 1);
  CHECK(bench.log()[0]->body.find(R"("properties":{"a":2,"b":3})") != std::string::npos);
}

TEST_CASE("of events that belong together none is stored when one is refused", "[events]") {
  Bench bench;
  const auto body =
      json::Document::parse("[" + tracked("m-1") + R"(,{"type":"page"}])", json::kEvent);
  REQUIRE(body);
  const std::vector<json::Value> events = {*body->root().at(0), *body->root().at(1)};

  const auto outcomes = bench.ingest.accept_now(events, {.all_or_none = true}, {});

  REQUIRE(outcomes);
  CHECK((*outcomes)[1].error.reason == "id_required");
  CHECK(bench.log().empty());
  CHECK(bench.ingest.accept_now(events, {}, {}));
  CHECK(bench.log().size() == 1);
}

TEST_CASE("an event of the original API is measured as it came, before anything is made of it",
          "[events]") {
  Bench bench;
  const auto taken = [&bench](std::size_t size) {
    std::string text = R"({"eventType":"page","eventId":"m-1","page":{"title":""}})";
    text.insert(text.find("\"}}"), std::string(size - text.size(), 'x'));
    const auto body = json::Document::parse(text, json::kEvent);
    const json::Value root = body->root();
    return bench.ingest.accept_now({&root, 1}, {.is_original = true}, {})->front();
  };

  const auto fits = taken(32'768);
  CHECK(fits.status == Status::Stored);
  CHECK(fits.anonymous_id.size() == 36);
  const auto larger = taken(32'769);
  CHECK(larger.error.reason == "event_too_large");
  CHECK(larger.id.text == "m-1");
  CHECK(larger.anonymous_id.empty());
}

TEST_CASE("what a source sent is counted, and which of its ids came twice", "[events]") {
  Bench bench;
  const auto take = [&](const std::string& id, const std::string& source) {
    return bench.ingest.accept_now(tracked(id), {.source = source});
  };
  REQUIRE(take("m-1", "shop"));
  REQUIRE(take("m-2", "shop"));
  REQUIRE(take("m-1", "app"));  // numbers of its own
  REQUIRE(take("m-2", "shop")->status == Status::Duplicate);
  bench.clock.advance(std::chrono::seconds{5});
  REQUIRE(take("m-1", "shop")->status == Status::Duplicate);
  REQUIRE(bench.ingest.accept_now("{}", {.source = "shop"})->status == Status::Refused);

  CHECK(bench.ingest.counts().all() ==
        std::vector<events::SourceCount>{{.source = "app", .received = 1},
                                         {.source = "shop",
                                          .received = 4,
                                          .duplicates = 2,
                                          .last_duplicate = edge::EventId{"m-1"},
                                          .last_duplicate_at = bench.clock.now()}});
}

TEST_CASE("beyond a thousand sources further ones are counted together", "[events]") {
  events::SourceCounts counts;
  for (std::size_t i = 0; i < events::SourceCounts::kMaxSources + 3; ++i) {
    counts.received("s" + std::to_string(i), 1);
  }

  const auto all = counts.all();

  CHECK(all.size() == events::SourceCounts::kMaxSources + 1);
  CHECK(all.front() == events::SourceCount{.source = "other", .received = 3});
}
