// SPDX-License-Identifier: MIT
#include "core/queues/queue_table.h"

#include <catch2/catch.hpp>
#include <thread>

#include "core/queues/records.h"
#include "tests/contract/subject.h"

using namespace edge;
using namespace edge::queues;

namespace {

Result<Consumer> consumer_of(const std::string& text) {
  const auto document = json::Document::parse(text, json::kApi);
  REQUIRE(document);
  return read_consumer(document->root(), {});
}

Result<Settings> settings_of(const std::string& text) {
  const auto document = json::Document::parse(text, json::kApi);
  REQUIRE(document);
  return read_settings(document->root(), {.delivery_delay = 5});
}

}  // namespace

TEST_CASE("queues are found by id and by name, and listed by name", "[queues]") {
  test::Subject store(GENERATE("memory", "sqlite"));
  SeededRandom random(1);
  QueueTable table(*store, store.clock, random);
  const auto made = table.create("b-queue", {.delivery_delay = 3}).value();
  REQUIRE(table.create("a", {}));

  QueueTable fresh(*store, store.clock, random);

  CHECK(*fresh.find("b-queue").value() == *made);
  CHECK(*fresh.find(made->id).value() == *made);
  const auto all = fresh.list().value();
  REQUIRE(all.size() == 2);
  CHECK(all[0]->name == "a");
  CHECK(fresh.find("c").error().reason == "queue_not_found");
  CHECK(fresh.create("a", {}).error().reason == "queue_exists");
  CHECK(fresh.ensure("a").value()->id == all[0]->id);
}

TEST_CASE("names of queues are short and plain", "[queues]") {
  for (const std::string& name : {std::string("a"), std::string("0-z"), std::string(63, 'x')}) {
    CHECK(check_name(name));
  }
  for (const std::string& name : {std::string(),
                                  std::string(64, 'x'),
                                  std::string("A"),
                                  std::string("a_b"),
                                  std::string("ä"),
                                  std::string("a b"),
                                  std::string("a/b")}) {
    CHECK(check_name(name).error().reason == "bad_name");
  }
}

TEST_CASE("a change is kept with its time, and a refused one changes nothing", "[queues]") {
  test::Subject store(GENERATE("memory", "sqlite"));
  SeededRandom random(1);
  QueueTable table(*store, store.clock, random);
  const auto made = table.create("a", {}).value();
  store.clock.advance(std::chrono::seconds(1));

  const auto changed = table.change(made->id, [](Queue& queue) {
    queue.settings.delivery_paused = true;
    queue.consumer = Consumer{.id = "c", .max_retries = 7, .dead_letter_queue = "d", .created = 4};
    return Result<void>{};
  });
  const auto refused = table.change(made->id, [](Queue& queue) -> Result<void> {
    queue.settings.delivery_paused = false;
    return Failure({ErrorCode::InvalidArgument, "no"});
  });

  REQUIRE(changed);
  CHECK(!refused);
  CHECK((*changed)->modified == made->modified + 1'000);
  QueueTable fresh(*store, store.clock, random);
  CHECK(*fresh.find("a").value() == **changed);
  CHECK(table.change("00000000000000000000000000000000", [](Queue&) { return Result<void>{}; })
            .error()
            .reason == "queue_not_found");
}

TEST_CASE("changes at the same time all count", "[queues]") {
  test::Subject store("sqlite");
  SystemRandom random;
  QueueTable table(*store, store.clock, random);
  const std::string id = table.create("a", {}).value()->id;
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 5; ++n) {
          done += table.change(id,
                               [](Queue& queue) {
                                 ++queue.settings.delivery_delay;
                                 return Result<void>{};
                               })
                          .has_value()
                      ? 1
                      : 0;
        }
      });
    }
  }

  CHECK(table.find("a").value()->settings.delivery_delay == done);
}

TEST_CASE("a queue that was deleted is gone, and its name is free", "[queues]") {
  test::Subject store(GENERATE("memory", "sqlite"));
  SeededRandom random(1);
  QueueTable table(*store, store.clock, random);
  const auto made = table.create("a", {}).value();

  REQUIRE(table.remove(made->id));

  CHECK(table.find("a").error().reason == "queue_not_found");
  CHECK(table.find(made->id).error().reason == "queue_not_found");
  CHECK(table.remove(made->id).error().reason == "queue_not_found");
  CHECK(table.create("a", {}).value()->id != made->id);
}

TEST_CASE("settings have their ranges", "[queues]") {
  CHECK(settings_of("{}")->delivery_delay == 5);
  CHECK(
      settings_of(R"({"delivery_delay":0,"message_retention_period":60,"delivery_paused":true})") ==
      Settings{.delivery_delay = 0, .delivery_paused = true, .retention = 60});
  for (const char* wrong : {R"({"delivery_delay":86401})",
                            R"({"delivery_delay":-1})",
                            R"({"message_retention_period":59})",
                            R"({"message_retention_period":1209601})",
                            R"({"delivery_paused":1})",
                            R"([])"}) {
    INFO(wrong);
    CHECK(settings_of(wrong).error().code == ErrorCode::InvalidArgument);
  }
}

TEST_CASE("a consumer has its ranges and what it needs", "[queues]") {
  CHECK(consumer_of(R"({"type":"http_pull"})") == Consumer{});
  const auto pushed = consumer_of(
      R"({"type":"worker","url":"https://a.example/q","settings":{"batch_size":100,)"
      R"("max_retries":0,"max_wait_time_ms":60000,"retry_delay":9,"max_concurrency":null},)"
      R"("dead_letter_queue":"d"})");
  CHECK(pushed == Consumer{.type = Consumer::Type::Worker,
                           .url = "https://a.example/q",
                           .batch_size = 100,
                           .max_retries = 0,
                           .max_wait_time = 60'000,
                           .retry_delay = 9,
                           .dead_letter_queue = "d"});
  CHECK(consumer_of(R"({"type":"worker","script_name":"http://a/"})")->batch_size == 10);
  for (const char* wrong : {R"({"type":"worker"})",
                            R"({"type":"worker","url":"my-script"})",
                            R"({"type":"other"})",
                            R"({"settings":{"batch_size":0}})",
                            R"({"settings":{"batch_size":101}})",
                            R"({"settings":{"max_retries":101}})",
                            R"({"settings":{"retry_delay":86401}})",
                            R"({"settings":{"visibility_timeout_ms":43200001}})",
                            R"({"settings":{"max_wait_time_ms":60001}})",
                            R"({"settings":[]})",
                            R"({"dead_letter_queue":"No"})",
                            R"({"dead_letter_queue":5})"}) {
    INFO(wrong);
    CHECK(consumer_of(wrong).error().code == ErrorCode::InvalidArgument);
  }
}
