// SPDX-License-Identifier: MIT
#include "core/delivery/order_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/delivery/delivery_bench.h"

namespace edge::delivery {
namespace {

using namespace std::chrono_literals;
using test::ScriptedHttp;

std::string text(const std::string& id, const std::string& ids) {
  return fmt::format(
      R"({{"type":"track","event":"Tested","messageId":"{}",{},"timestamp":"2023-11-14T22:13:20Z"}})",
      id,
      ids);
}

events::Event event(const std::string& ids) {
  return *events::Event::decode(text("m", ids));
}

const OrderKeys::IsOpen kNothing = [](const std::string&) { return false; };

}  // namespace

TEST_CASE("an event that names two ids joins their orders", "[delivery]") {
  OrderKeys keys;

  CHECK(keys.key_of(event(R"("anonymousId":"a")"), kNothing) == "a");
  CHECK(keys.key_of(event(R"("userId":"u","anonymousId":"a")"), kNothing) == "a");
  CHECK(keys.key_of(event(R"("userId":"u")"), kNothing) == "a");
  CHECK(keys.key_of(event(R"("userId":"other")"), kNothing) == "other");
  CHECK(keys.key_of(event(R"("userId":"new","previousId":"u")"), kNothing) == "a");
  CHECK(keys.key_of(event(R"("userId":"new")"), kNothing) == "a");
  CHECK(keys.key_of(event(R"("event":"nobody")"), kNothing) == "m");
  keys.clear();
  CHECK(keys.key_of(event(R"("userId":"u")"), kNothing) == "u");
}

TEST_CASE("a user id is not the anonymous id of the same text", "[delivery]") {
  OrderKeys keys;
  keys.remember(event(R"("anonymousId":"x")"), "first");

  CHECK(keys.key_of(event(R"("anonymousId":"x")"), kNothing) == "first");
  CHECK(keys.key_of(event(R"("userId":"x")"), kNothing) == "x");
}

TEST_CASE("of two orders an event takes the one that is open, the user's first", "[delivery]") {
  const std::string open = GENERATE("u", "a", "both", "none");
  OrderKeys keys;
  keys.key_of(event(R"("userId":"u")"), kNothing);
  keys.key_of(event(R"("anonymousId":"a")"), kNothing);

  const std::string key =
      keys.key_of(event(R"("userId":"u","anonymousId":"a")"),
                  [&](const std::string& one) { return open == "both" || open == one; });

  CHECK(key == (open == "a" ? "a" : "u"));
  CHECK(keys.key_of(event(R"("userId":"u")"), kNothing) == key);
  CHECK(keys.key_of(event(R"("anonymousId":"a")"), kNothing) == key);
}

TEST_CASE("a visitor's events go before those of the user they turn out to be", "[delivery]") {
  DeliveryBench bench(R"({"ordering":"user"})");
  auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(503));
  bench.append_event(text("page", R"("anonymousId":"a")"), "page", "a");
  forwarder->work();
  REQUIRE(bench.rows().size() == 1);

  bench.append_event(text("login", R"("userId":"u","anonymousId":"a")"), "login", "u");
  if (GENERATE(false, true)) {
    forwarder->work();
    forwarder = bench.forwarder();  // another process: the rows tell
  }
  bench.append_event(text("order", R"("userId":"u")"), "order", "u");
  bench.append_event(text("other", R"("userId":"v")"), "other", "v");
  forwarder->work();
  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(10s);
  forwarder->work();

  Ids sent = bench.sent();
  std::erase(sent, "other");
  CHECK(sent == Ids{"page", "page", "login", "order"});
  CHECK(forwarder->status()->delivered == 4);
  CHECK(forwarder->status()->pending == 0);
}

TEST_CASE("who logs in on a second device goes behind what was picked of it", "[delivery]") {
  DeliveryBench bench(R"({"ordering":"user","batch":2})");
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(408));
  bench.append_event(text("else", R"("userId":"v")"), "else", "v");
  forwarder->work();
  bench.http.follow(ScriptedHttp::answering(200));
  bench.append_event(text("home", R"("userId":"u")"), "home", "u");
  forwarder->work();
  bench.http.follow(ScriptedHttp::answering(408));

  bench.append_event(text("page", R"("anonymousId":"a2")"), "page", "a2");
  bench.append_event(text("login", R"("userId":"u","anonymousId":"a2")"), "login", "u");
  forwarder->work();

  std::vector<std::string> keys;
  for (const storage::Due& row : bench.rows()) {
    keys.push_back(row.id + " " + row.order_key);
  }
  std::ranges::sort(keys);
  CHECK(keys == Ids{"else v", "login a2", "page a2"});
}

TEST_CASE("who waits behind a visitor's event in flight can be forgotten", "[delivery]") {
  DeliveryBench bench(R"({"ordering":"user"})");
  const auto forwarder = bench.forwarder();
  bench.http.follow(ScriptedHttp::answering(503));
  bench.append_event(text("page", R"("anonymousId":"a")"), "page", "a");
  bench.append_event(text("login", R"("userId":"u","anonymousId":"a")"), "login", "u");
  bench.append_event(text("order", R"("userId":"u")"), "order", "u");
  forwarder->work();

  events::Person person{.users = {"u"}};
  person.offsets = {2, 3};
  CHECK(forwarder->forget_now(std::make_shared<const events::Person>(person)) == 2);

  bench.http.follow(ScriptedHttp::answering(200));
  bench.clock.advance(10s);
  forwarder->work();
  CHECK(bench.sent().back() == "page");
  CHECK(forwarder->status()->delivered == 1);
  CHECK(forwarder->status()->pending == 0);
}

}  // namespace edge::delivery
