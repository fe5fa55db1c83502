// SPDX-License-Identifier: MIT
#include "core/delivery/alerts.h"

#include <catch2/catch.hpp>

#include "core/crypto/webhook_signature.h"
#include "core/json/document.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/support/scripted_http.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using Change = AlertNews::Change;

config::Alerts rules() {
  return {.backlog = 100,
          .backlog_age = 0s,
          .dead_percent = 10,
          .dead_least = 5,
          .window = 5min,
          .hold = 60s,
          .repeat = 1h};
}

/// One destination under an alert book, looked at every ten seconds.
struct Watch {
  test::FakeClock clock;
  AlertBook book{rules()};
  AlertSample sample{.destination = "crm"};

  std::vector<AlertNews> after(std::chrono::seconds time) {
    std::vector<AlertNews> all;
    for (std::chrono::seconds passed{0}; passed < time; passed += 10s) {
      clock.advance(10s);
      for (AlertNews& news : book.look({&sample, 1}, clock.now())) {
        all.push_back(std::move(news));
      }
    }
    return all;
  }
};

TEST_CASE("a backlog is told once it has lasted, and over once it is half as large", "[delivery]") {
  Watch watch;
  watch.sample.pending = 100;

  CHECK(watch.after(60s).empty());
  const auto raised = watch.after(20s);
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].change == Change::Raised);
  CHECK(raised[0].alert == "backlog");
  CHECK(raised[0].value == 100);
  CHECK(raised[0].limit == 100);
  watch.sample.pending = 50;  // half is not below half
  CHECK(watch.after(10min).empty());
  watch.sample.pending = 49;
  const auto cleared = watch.after(90s);
  REQUIRE(cleared.size() == 1);
  CHECK(cleared[0].change == Change::Cleared);
  CHECK(cleared[0].since == raised[0].since);
  CHECK(watch.after(10min).empty());
}

TEST_CASE("a value that swings is not told again and again", "[delivery]") {
  Watch watch;

  for (int i = 0; i < 30; ++i) {  // over the limit, never for long enough
    watch.sample.pending = i % 2 == 0 ? 500 : 99;
    CHECK(watch.after(50s).empty());
  }
  watch.sample.pending = 500;
  REQUIRE(watch.after(80s).size() == 1);
  std::size_t told = 0;
  for (int i = 0; i < 30; ++i) {  // below half, never for long enough
    watch.sample.pending = i % 2 == 0 ? 0 : 500;
    told += watch.after(50s).size();
  }
  CHECK(told == 0);
}

TEST_CASE("what goes on is told again, and ends with its destination", "[delivery]") {
  Watch watch;
  watch.sample.pending = 1000;
  REQUIRE(watch.after(80s).size() == 1);

  const auto again = watch.after(1h);
  REQUIRE(again.size() == 1);
  CHECK(again[0].change == Change::Repeated);
  CHECK(again[0].times == 1);
  const auto gone = watch.book.look({}, watch.clock.now());
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].change == Change::Cleared);
}

TEST_CASE("the share of dead letters counts within its window and from some on", "[delivery]") {
  Watch watch;
  REQUIRE(watch.after(10s).empty());
  watch.sample.delivered = 1000;
  watch.sample.dead = 4;  // too few
  CHECK(watch.after(5min).empty());
  watch.sample.dead += 5;
  watch.sample.delivered += 46;  // 9 of 100
  CHECK(watch.after(10min).empty());
  watch.sample.dead += 20;
  watch.sample.delivered += 100;  // 16 of 100

  const auto raised = watch.after(2min);

  REQUIRE(raised.size() == 1);
  CHECK(raised[0].alert == "dead_rate");
  CHECK(raised[0].value == 16);
  CHECK(watch.after(10min).size() == 1);  // over, with the window
}

TEST_CASE("an old backlog is told by its age", "[delivery]") {
  Watch watch;
  auto own = rules();
  own.backlog_age = 5min;
  watch.book = AlertBook(own);
  watch.sample.pending = 1;
  watch.sample.oldest_at = to_ms(watch.clock.now());

  CHECK(watch.after(5min).empty());
  const auto raised = watch.after(2min);
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].alert == "backlog_age");
}

/// Alerts with a scripted webhook.
struct Desk {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  test::ScriptedHttp http;
  SeededRandom random{5};
  metrics::Registry metrics;
  std::vector<AlertSample> samples{{.destination = "crm", .pending = 500}};
  std::unique_ptr<Alerts> alerts = made();

  std::unique_ptr<Alerts> made() {
    auto own = rules();
    own.url = "https://ops.example/hook";
    own.secret = "OPS";
    auto settings = read_alerts(own, [](const std::string&) { return "whsec_c2VjcmV0"; });
    REQUIRE(settings);
    return std::make_unique<Alerts>(
        **settings, AlertServices{store, http, clock, random, metrics, [this] { return samples; }});
  }
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds passed{0}; passed < time; passed += 5s) {
      clock.advance(5s);
      REQUIRE(alerts->round());
    }
  }
  [[nodiscard]] std::vector<std::string> types() const {
    std::vector<std::string> all;
    for (const auto& request : http.requests()) {
      const auto body = json::Document::parse(request.body, json::kStrict);
      all.emplace_back(*body->root().find("type")->as_string());
    }
    return all;
  }
};

std::string field_of(const transport::OutgoingRequest& request, std::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (field == name) {
      return value;
    }
  }
  return {};
}

TEST_CASE("an alert is posted, signed", "[delivery]") {
  Desk desk;

  desk.pass(70s);

  REQUIRE(desk.http.requests().size() == 1);
  const auto request = desk.http.requests()[0];
  CHECK(request.url == "https://ops.example/hook");
  const auto body = json::Document::parse(request.body, json::kStrict);
  REQUIRE(body);
  CHECK(body->root().at_pointer("/type")->as_string() == "alert.raised");
  CHECK(body->root().at_pointer("/data/destination")->as_string() == "crm");
  CHECK(body->root().at_pointer("/data/alert")->as_string() == "backlog");
  CHECK(body->root().at_pointer("/data/value")->as_int64() == 500);
  const std::vector<std::string> keys{"secret"};
  CHECK(field_of(request, "webhook-signature") ==
        crypto::webhook_signature(keys,
                                  field_of(request, "webhook-id"),
                                  std::stoll(field_of(request, "webhook-timestamp")),
                                  request.body));
}

TEST_CASE("an alert that is not taken is posted again with the same id, in order", "[delivery]") {
  Desk desk;
  desk.http.follow(test::ScriptedHttp::answering(500));
  desk.pass(70s);
  REQUIRE(!desk.http.requests().empty());
  desk.samples[0].pending = 0;
  desk.pass(2min);
  CHECK(desk.alerts->waiting() == 2);
  const std::string id = field_of(desk.http.requests()[0], "webhook-id");
  desk.http.forget();
  desk.http.follow(test::ScriptedHttp::answering(204));

  desk.pass(20min);

  CHECK(desk.types() == std::vector<std::string>{"alert.raised", "alert.cleared"});
  CHECK(field_of(desk.http.requests()[0], "webhook-id") == id);
  CHECK(desk.alerts->waiting() == 0);
}

TEST_CASE("a restart does not tell it twice, and still tells that it is over", "[delivery]") {
  Desk desk;
  desk.pass(70s);
  REQUIRE(desk.types() == std::vector<std::string>{"alert.raised"});

  desk.alerts = desk.made();
  desk.pass(5min);
  CHECK(desk.types().size() == 1);
  desk.samples[0].pending = 0;
  desk.pass(70s);
  desk.alerts = desk.made();
  desk.pass(5min);

  CHECK(desk.types() == std::vector<std::string>{"alert.raised", "alert.cleared"});
}

TEST_CASE("wrong settings of alerts are refused by name", "[delivery]") {
  const auto none = [](const std::string&) { return std::optional<std::string>(); };
  const auto odd = [](const std::string&) { return std::optional<std::string>("?"); };

  CHECK_FALSE(*read_alerts({}, none));
  CHECK(read_alerts({.url = "ftp://x"}, none).error().field == "alerts.url");
  CHECK(read_alerts({.url = "https://x", .backlog = -1}, none).error().field == "alerts.backlog");
  const auto missing = read_alerts({.url = "https://x", .secret = "OPS"}, none);
  CHECK(missing.error().reason == "secret_missing");
  CHECK(missing.error().message.find("OPS") != std::string::npos);
  CHECK(read_alerts({.url = "https://x", .secret = "OPS"}, odd).error().field == "alerts.secret");
}

}  // namespace
}  // namespace edge::delivery
