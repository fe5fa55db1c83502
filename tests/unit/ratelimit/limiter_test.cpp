// SPDX-License-Identifier: MIT
#include "core/ratelimit/limiter.h"

#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/support/vectors.h"

namespace edge::ratelimit {
namespace {

std::int64_t number(json::Value value, std::string_view name) {
  const auto member = value.find(name);
  return member ? member->as_int64().value_or(-1) : -1;
}

Quota quota_of(json::Value sequence) {
  const std::int64_t burst = number(sequence, "burst");
  return {.limit = static_cast<std::uint64_t>(number(sequence, "limit")),
          .period = std::chrono::seconds(number(sequence, "period_s")),
          .burst = burst < 0 ? 0 : static_cast<std::uint64_t>(burst),
          .algorithm = sequence.find("algorithm")->as_string() == "fixed" ? Algorithm::Fixed
                                                                          : Algorithm::Gcra};
}

Limit one_a_minute(std::string name, std::string counters = {}) {
  Limit limit{.name = std::move(name), .quota = {.limit = 1}};
  limit.counters = counters.empty() ? "name:" + limit.name : counters;
  return limit;
}

Result<std::vector<Limit>> read(const std::string& json) {
  const std::vector<config::Item> items = {{json, "edge.toml:7"}};
  return read_limits(items);
}

}  // namespace

TEST_CASE("both algorithms count as the vectors demand", "[ratelimit]") {
  const auto lines = test::vector_lines("platform", "ratelimit.jsonl");
  if (!lines) {
    return;
  }
  std::size_t steps = 0;
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value sequence = document->root();
    test::FakeClock clock;
    SystemRandom random;
    test::MemoryStore store(clock);
    Limiter limiter(store, clock, random);
    const Limit limit{.name = "v", .quota = quota_of(sequence), .counters = "name:v"};
    for (const json::Value step : sequence.find("steps")->elements()) {
      const json::Value expect = *step.find("expect");
      clock.set(from_ms(number(step, "t_ms")));
      const std::int64_t cost = number(step, "cost");

      const Verdict verdict = limiter.check(
          limit, *step.find("key")->as_string(), cost < 0 ? 1 : static_cast<std::uint64_t>(cost));

      INFO(*sequence.find("id")->as_string() << " " << step.raw());
      CHECK(verdict.allowed == expect.find("allowed")->as_bool());
      CHECK(static_cast<std::int64_t>(verdict.remaining) == number(expect, "remaining"));
      CHECK(verdict.reset_s == number(expect, "reset_s"));
      CHECK(verdict.retry_after_s == expect.find("retry_after_s")->as_int64());
      ++steps;
    }
  }
  CHECK(steps == 506);
  test::report_vectors("platform", "ratelimit.jsonl", lines->size());
}

TEST_CASE("the key that was not asked for longest is dropped when the table is full",
          "[ratelimit]") {
  Table table(3);
  const auto id = [](std::uint64_t n) { return Table::Id{.high = n, .low = n}; };
  for (const std::uint64_t n : {1, 2, 3, 1, 4}) {
    table.touch(id(n)).part = static_cast<std::uint32_t>(n);
  }

  CHECK(table.size() == 3);
  CHECK(table.find(id(2)) == nullptr);
  for (const std::uint64_t n : {1, 3, 4}) {
    REQUIRE(table.find(id(n)) != nullptr);
    CHECK(table.find(id(n))->part == n);
  }
}

TEST_CASE("a million and more keys stay within their bound", "[ratelimit]") {
  test::FakeClock clock;
  SystemRandom random;
  test::MemoryStore store(clock);
  Limiter limiter(store, clock, random, 50'000);
  const Limit limit = one_a_minute("flood");

  for (int i = 0; i < 200'000; ++i) {
    limiter.check(limit, std::to_string(i));
  }

  CHECK(limiter.size() <= 50'000);
  CHECK(limiter.size() > 49'000);
  CHECK_FALSE(limiter.check(limit, "199999").allowed);
  CHECK(limiter.check(limit, "0").allowed);
}

TEST_CASE("counts survive a restart, resets too", "[ratelimit]") {
  test::FakeClock clock;
  SystemRandom random;
  test::MemoryStore store(clock);
  const Limit limit = one_a_minute("api");
  {
    Limiter before(store, clock, random);
    REQUIRE(before.load(false));
    REQUIRE(before.check(limit, "a").allowed);
    REQUIRE(before.check(limit, "b").allowed);
    REQUIRE(before.save());
    REQUIRE(before.reset(limit, "b"));
    REQUIRE(before.save());
  }

  Limiter after(store, clock, random);
  REQUIRE(after.load(false));

  CHECK_FALSE(after.check(limit, "a").allowed);
  CHECK(after.check(limit, "b").allowed);
  clock.advance(std::chrono::minutes(2));
  Limiter later(store, clock, random);
  REQUIRE(later.load(true));
  CHECK(later.size() == 0);
}

TEST_CASE("looking at a count changes nothing", "[ratelimit]") {
  test::FakeClock clock;
  SystemRandom random;
  test::MemoryStore store(clock);
  Limiter limiter(store, clock, random);
  const Limit limit = one_a_minute("api");

  CHECK(limiter.check(limit, "a", 0).remaining == 1);
  CHECK(limiter.check(limit, "a", 0).remaining == 1);
  CHECK(limiter.size() == 0);
  limiter.check(limit, "a");
  CHECK(limiter.check(limit, "a", 0).remaining == 0);
}

TEST_CASE("limits of one namespace and period count together, of different sizes too",
          "[ratelimit]") {
  test::FakeClock clock;
  SystemRandom random;
  test::MemoryStore store(clock);
  Limiter limiter(store, clock, random);
  const Limit small = one_a_minute("small", "id:7");
  Limit large = one_a_minute("large", "id:7");
  large.quota.limit = 7;
  Limit other = one_a_minute("other", "id:8");

  CHECK(limiter.check(small, "k").allowed);
  CHECK_FALSE(limiter.check(large, "k").allowed);
  CHECK(limiter.check(other, "k").allowed);
}

TEST_CASE("a limit of nothing is off", "[ratelimit]") {
  test::FakeClock clock;
  SystemRandom random;
  test::MemoryStore store(clock);
  Limiter limiter(store, clock, random);
  const Limit off{.name = "off", .quota = {.limit = 0}, .counters = "name:off"};

  for (int i = 0; i < 3; ++i) {
    CHECK(limiter.check(off, "k").allowed);
  }
  CHECK(limiter.size() == 0);
}

TEST_CASE("a table of a limit is read whole", "[ratelimit]") {
  const auto limits = read(
      R"({"name":"login","limit":10,"period":300,"burst":3,"key":["ip","header:X-Account","path","x"],)"
      R"("routes":["POST /auth/login"],"namespace_id":"7"})");

  REQUIRE(limits);
  REQUIRE(limits->size() == 2);
  CHECK(limits->front().name == "api");
  const Limit& login = limits->back();
  CHECK(login.quota.at_once() == 3);
  CHECK(login.quota.period == std::chrono::minutes(5));
  REQUIRE(login.key.size() == 4);
  CHECK(login.key[1].kind == KeyPart::Kind::Header);
  CHECK(login.key[1].text == "X-Account");
  CHECK(login.key[3].kind == KeyPart::Kind::Literal);
  CHECK(login.covers("POST", "/auth/login"));
  CHECK_FALSE(login.covers("GET", "/auth/login"));
  CHECK_FALSE(login.covers("POST", "/auth/logins"));
}

TEST_CASE("the limit of the original platform holds unless one of its name replaces it",
          "[ratelimit]") {
  const auto standard = read_limits({});
  const auto replaced = read(R"({"name":"api","limit":0})");

  REQUIRE(standard);
  CHECK(standard->front().quota.limit == 100);
  CHECK(standard->front().covers("GET", "/api/kv/:namespace/:key"));
  CHECK_FALSE(standard->front().covers("GET", "/cdp/profile"));
  REQUIRE(replaced);
  CHECK(replaced->size() == 1);
  CHECK(replaced->front().quota.limit == 0);
}

TEST_CASE("health and metrics are never limited", "[ratelimit]") {
  const auto limits = read(R"({"name":"all","limit":1,"routes":["/*"]})");

  REQUIRE(limits);
  const Limit& all = limits->back();
  CHECK(all.covers("GET", "/track/event"));
  CHECK_FALSE(all.covers("GET", "/health"));
  CHECK_FALSE(all.covers("GET", "/health/live"));
  CHECK_FALSE(all.covers("GET", "/metrics"));
}

TEST_CASE("a wrong limit is refused by name", "[ratelimit]") {
  const auto [json, field] = GENERATE(table<std::string, std::string>({
      {R"({"limit":1})", "limits.name"},
      {R"({"name":"a"})", "limits.limit"},
      {R"({"name":"a b","limit":1})", "limits.name"},
      {R"({"name":"a","limit":-1})", "limits.limit"},
      {R"({"name":"a","limit":1000000001})", "limits.limit"},
      {R"({"name":"a","limit":1,"period":0})", "limits.period"},
      {R"({"name":"a","limit":1,"period":"60s"})", "limits.period"},
      {R"({"name":"a","limit":1,"burst":0})", "limits.burst"},
      {R"({"name":"a","limit":1,"burst":2,"algorithm":"fixed"})", "limits.burst"},
      {R"({"name":"a","limit":1,"algorithm":"leaky"})", "limits.algorithm"},
      {R"({"name":"a","limit":1,"key":[]})", "limits.key"},
      {R"({"name":"a","limit":1,"key":[7]})", "limits.key"},
      {R"({"name":"a","limit":1,"routes":["api"]})", "limits.routes"},
      {R"({"name":"a","limit":1,"rotues":["/api/*"]})", "limits.rotues"},
  }));

  const auto limits = read(json);

  INFO(json);
  REQUIRE_FALSE(limits);
  CHECK(limits.error().field == field);
  CHECK(limits.error().message.starts_with("edge.toml:7: limit "));
}

TEST_CASE("two limits of one name are refused", "[ratelimit]") {
  const std::vector<config::Item> items = {{R"({"name":"a","limit":1})", "edge.toml:1"},
                                           {R"({"name":"a","limit":2})", "edge.toml:4"}};

  const auto limits = read_limits(items);

  REQUIRE_FALSE(limits);
  CHECK(limits.error().message == "edge.toml:4: limit name is used twice");
}

}  // namespace edge::ratelimit
