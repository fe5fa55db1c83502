// SPDX-License-Identifier: MIT
#include "core/queues/alerts.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/queues/post_office.h"

using namespace edge;
using namespace edge::queues;
using namespace std::chrono_literals;

namespace {

Result<std::vector<ConfiguredQueue>> configured(const std::string& json) {
  const std::vector<config::Item> items{{.json = json, .where = "edge.toml:3"}};
  return read_configured(items);
}

}  // namespace

TEST_CASE("alerts of queues are read as they are written", "[queues]") {
  using Kind = AlertRule::Kind;
  CHECK(read_alert_rule("backlog > 1000 for 5m") ==
        AlertRule{"backlog > 1000 for 5m", Kind::Backlog, 1'000, 300s});
  CHECK(read_alert_rule("backlog  >  0  for 0")->hold == 0s);
  CHECK(read_alert_rule("oldest_age > 2h")->limit == 7'200);
  CHECK(read_alert_rule("oldest_age > 90")->limit == 90);
  CHECK(read_alert_rule("dlq_rate > 30/m")->limit == 0.5);
  for (const char* wrong : {"",
                            "backlog > 1000",
                            "backlog > x for 5m",
                            "backlog > 5m for 5m",
                            "backlog < 1 for 5m",
                            "backlog > 1 for 5w",
                            "backlog > -1 for 5m",
                            "oldest_age > 5m for 1m",
                            "oldest_age > 5q",
                            "dlq_rate > 5",
                            "dlq_rate > 5/w",
                            "age > 5m"}) {
    INFO(wrong);
    CHECK(read_alert_rule(wrong).error().code == ErrorCode::InvalidArgument);
  }
}

TEST_CASE("queues of the configuration are read, and what is wrong is named", "[queues]") {
  const auto good =
      configured(R"({"name":"a","settings":{"delivery_delay":5},"consumer":{"type":"http_pull",)"
                 R"("dead_letter_queue":"b"},"alerts":["oldest_age > 5m"]})");
  REQUIRE(good);
  CHECK(good->at(0).settings.delivery_delay == 5);
  CHECK(good->at(0).consumer->dead_letter_queue == "b");
  CHECK(good->at(0).alerts.size() == 1);
  for (const char* wrong : {R"({})",
                            R"({"name":"A"})",
                            R"({"name":"a","alert":[]})",
                            R"({"name":"a","alerts":"x"})",
                            R"({"name":"a","alerts":[1]})",
                            R"({"name":"a","settings":{"delivery_delay":-1}})",
                            R"({"name":"a","consumer":{"type":"worker"}})",
                            R"({"name":"a","consumer":{"dead_letter_queue":"a"}})"}) {
    INFO(wrong);
    const auto read = configured(wrong);
    REQUIRE(!read);
    CHECK(read.error().message.starts_with("edge.toml:3: "));
  }
  const std::vector<config::Item> twice{{.json = R"({"name":"a"})"}, {.json = R"({"name":"a"})"}};
  CHECK(!read_configured(twice));
}

TEST_CASE("queues of the configuration are made once and then left alone", "[queues]") {
  PostOffice office;
  const auto wanted = configured(
      R"({"name":"a","settings":{"delivery_delay":5},"consumer":{"settings":{"max_retries":7}}})");

  REQUIRE(make_missing(office.queues->table, *wanted, 9));
  const QueuePointer made = office.mail("a");
  REQUIRE(make_missing(office.queues->table, *wanted, 10));

  CHECK(made->settings.delivery_delay == 5);
  CHECK(made->consumer->max_retries == 7);
  CHECK(is_queue_id(made->consumer->id));
  CHECK(*office.mail("a") == *made);
}

TEST_CASE("a change of state is told once, and again until it is taken", "[queues]") {
  PostOffice office;
  office.consume({.max_retries = 0});
  std::vector<std::string> told;
  bool takes = false;
  auto wanted = configured(
      R"({"name":"mail","alerts":["backlog > 1 for 60s","oldest_age > 10","dlq_rate > 0/m"]})");
  Alerts alerts(*office.queues, *wanted, office.subject.clock, [&](const auto&, const auto& body) {
    if (takes) {
      told.push_back(body);
    }
    return takes;
  });
  const auto count = [&](const std::string& type, const std::string& rule) {
    return std::ranges::count_if(told, [&](const std::string& body) {
      return body.find("\"alert." + type + "\"") != std::string::npos &&
             body.find('"' + rule) != std::string::npos;
    });
  };
  office.send({"a", "b"});
  REQUIRE(alerts.round());
  CHECK(alerts.waiting() == 0);

  office.subject.clock.advance(11s);
  REQUIRE(alerts.round());
  CHECK(alerts.waiting() == 1);
  takes = true;
  REQUIRE(alerts.round());
  CHECK(count("raised", "oldest_age") == 1);
  office.subject.clock.advance(49s);
  REQUIRE(alerts.round());
  REQUIRE(alerts.round());
  CHECK(count("raised", "backlog") == 1);

  for (const Delivery& delivery : office.pull()) {
    REQUIRE(office.retry(delivery.lease).retried == 1);
  }
  REQUIRE(alerts.round());
  CHECK(count("cleared", "backlog") == 1);
  CHECK(count("cleared", "oldest_age") == 1);
  CHECK(count("raised", "dlq_rate") == 1);
  office.subject.clock.advance(61s);
  REQUIRE(alerts.round());
  CHECK(count("cleared", "dlq_rate") == 1);
  CHECK(told.size() == 6);
}
