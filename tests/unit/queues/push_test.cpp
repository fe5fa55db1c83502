// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "core/queues/push_answer.h"
#include "core/queues/push_consumers.h"
#include "tests/support/scripted_http.h"
#include "tests/unit/queues/post_office.h"

using namespace edge;
using namespace edge::queues;
using namespace std::chrono_literals;

namespace {

const std::string kUrl = "https://consumer.example/q";

Consumer pushed(std::int64_t batch_size, std::int64_t max_wait_time) {
  return {.type = Consumer::Type::Worker,
          .url = kUrl,
          .batch_size = batch_size,
          .max_wait_time = max_wait_time};
}

/// An office with a consumer that is posted to.
struct PushOffice : PostOffice {
  explicit PushOffice(const Consumer& consumer) : PostOffice("sqlite") { consume(consumer); }

  void start() {
    consumers = std::make_unique<PushConsumers>(*queues, http, subject.clock, registry);
    thread = std::jthread([this](const std::stop_token& stop) { consumers->run(stop); });
  }
  template <typename Condition>
  static void wait_until(const Condition& condition) {
    while (!condition()) {
      std::this_thread::yield();
    }
  }
  void wait_for_backlog(std::uint64_t count) const {
    wait_until([&] { return backlog().count == count; });
  }

  test::ScriptedHttp http;
  std::unique_ptr<PushConsumers> consumers;
  std::jthread thread;
};

transport::IncomingResponse answer(int status, std::string body = {}) {
  return {.status = status, .body = std::move(body)};
}

std::vector<Delivery> deliveries(std::uint32_t attempts) {
  std::vector<Delivery> all;
  for (const char* id : {"a", "b", "c"}) {
    all.push_back({{.id = id, .body = "1", .attempts = attempts}, std::string("lease ") + id});
  }
  return all;
}

std::vector<std::string> retried(const Outcomes& outcomes) {
  std::vector<std::string> leases;
  for (const Outcomes::Retry& retry : outcomes.retries) {
    leases.push_back(retry.lease);
  }
  return leases;
}

}  // namespace

TEST_CASE("the body of a push holds what the messages are", "[queues]") {
  const Queue queue{.name = "mail"};
  const std::vector<Delivery> all{
      {{.id = "1", .body = R"({"a":1})", .timestamp = 5, .attempts = 2}},
      {{.id = "2", .body = "t\"", .type = ContentType::Text}},
      {{.id = "3", .body = "ab", .type = ContentType::Bytes, .source = "x", .dead_attempts = 4}}};

  CHECK(push_body(queue, all) ==
        R"({"queue":"mail","messages":[{"id":"1","timestamp_ms":5,"attempts":2,"body":{"a":1},)"
        R"("metadata":{"CF-Content-Type":"json"}},{"id":"2","timestamp_ms":0,"attempts":0,)"
        R"("body":"t\"","metadata":{"CF-Content-Type":"text"}},{"id":"3","timestamp_ms":0,)"
        R"("attempts":0,"body":"YWI=","metadata":{"CF-Content-Type":"bytes",)"
        R"("CF-dead-letter-source":"x","CF-dead-letter-attempts":"4"}}]})");
}

TEST_CASE("the answer of a consumer says what becomes of each message", "[queues]") {
  Queue queue;
  queue.consumer = pushed(10, 0);
  using Leases = std::vector<std::string>;
  const auto outcomes = [&](const Result<transport::IncomingResponse>& given) {
    return push_outcomes(queue, deliveries(3), given);
  };

  for (const char* body : {"", "ok", "{}", R"({"acks":["a"]})", "[1]", R"({"retries":5})"}) {
    CHECK(outcomes(answer(204, body)).acks == Leases{"lease a", "lease b", "lease c"});
  }
  const Outcomes some = outcomes(answer(
      200, R"({"acks":["a","b"],"retries":[{"id":"b"},{"id":"c","delay_seconds":9},{"id":"z"}]})"));
  CHECK(some.acks == Leases{"lease a"});
  CHECK(retried(some) == Leases{"lease b", "lease c"});
  CHECK(!some.retries[0].delay);
  CHECK(some.retries[1].delay == 9);
  for (const int status : {199, 300, 302, 404, 500}) {
    CHECK(outcomes(answer(status)).retries.size() == 3);
  }
  const Outcomes lost = outcomes(Failure({ErrorCode::DeadlineExceeded, "slow", "", "timeout"}));
  CHECK(lost.retries.size() == 3);
  CHECK(lost.retries[0].delay == 8);
}

TEST_CASE("failed pushes are repeated later and later, at most after ten minutes", "[queues]") {
  CHECK(push_backoff({}, 1) == 2);
  CHECK(push_backoff({}, 9) == 512);
  CHECK(push_backoff({}, 10) == 600);
  CHECK(push_backoff({}, 4'000'000'000U) == 600);
  CHECK(push_backoff({.retry_delay = 30}, 9) == 30);
  CHECK(push_backoff({.retry_delay = 3'600}, 1) == 600);
}

TEST_CASE("a full batch is posted at once and acknowledged", "[queues]") {
  PushOffice office(pushed(2, 60'000));
  office.start();

  office.send({"a", "b", "c"});

  office.wait_for_backlog(1);
  const auto requests = office.http.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].url == kUrl);
  CHECK(requests[0].method == "POST");
  CHECK(requests[0].timeout == 30s);
  CHECK(requests[0].body.find(R"("body":"b")") != std::string::npos);
  CHECK(requests[0].body.find(R"("body":"c")") == std::string::npos);
  office.subject.clock.advance(60s);
  office.wait_for_backlog(0);
  CHECK(office.http.requests().size() == 2);
}

TEST_CASE("a push that fails comes back after its delay, and dies in the end", "[queues]") {
  auto consumer = pushed(10, 0);
  consumer.max_retries = 1;
  consumer.dead_letter_queue = "graves";
  PushOffice office(consumer);
  office.http.follow(test::ScriptedHttp::answering(500));
  office.start();

  office.send({"a"});

  PushOffice::wait_until([&] { return office.queues->standing(office.mail())->delayed == 1; });
  CHECK(office.http.requests().size() == 1);
  office.subject.clock.advance(2s);
  office.wait_for_backlog(0);
  CHECK(office.http.requests().size() == 2);
  CHECK(office.backlog("graves").count == 1);
}

TEST_CASE("as many requests are on their way at once as the consumer takes", "[queues]") {
  auto consumer = pushed(1, 0);
  consumer.max_concurrency = 3;
  PushOffice office(consumer);
  std::atomic<int> present = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> open = false;
  office.http.follow([&](const transport::OutgoingRequest&) {
    most = std::max(most.load(), ++present);
    while (!open) {
      std::this_thread::yield();
    }
    --present;
    return answer(200);
  });
  office.start();

  office.send(std::vector<std::string>(9, "x"));
  PushOffice::wait_until([&] { return present == 3; });
  open = true;

  office.wait_for_backlog(0);
  CHECK(most == 3);
  CHECK(office.http.requests().size() == 9);
}

TEST_CASE("nothing is posted while the queue is paused or has no such consumer", "[queues]") {
  PushOffice office(pushed(10, 0));
  office.set({.delivery_paused = true});
  REQUIRE(office.queues->table.create("other", {}));
  REQUIRE(office.queues->send(office.mail("other"), {.messages = {{.body = "1"}}}));
  office.send({"a"});
  office.start();
  REQUIRE(office.queues->table.change(office.mail("other")->id, [](Queue& queue) {
    queue.consumer = pushed(10, 0);
    return Result<void>{};
  }));
  PushOffice::wait_until([&] { return office.backlog("other").count == 0; });
  CHECK(office.backlog().count == 1);
  REQUIRE(office.http.requests().size() == 1);

  office.set({});
  office.wait_for_backlog(0);

  CHECK(office.http.requests().size() == 2);
}
