// SPDX-License-Identifier: MIT
#include "core/events/sources.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace events = edge::events;
using edge::config::Item;
using events::IpMode;
using events::Sources;

namespace {

std::vector<Item> items() {
  return {
      {.json = R"({"name":"server","key":"WK_SERVER","kind":"server"})"},
      {.json =
           R"({"name":"app","key":"WK_APP","kind":"browser","origins":["https://app.example"],"ip":"none"})"},
      {.json = R"({"name":"off","key":"WK_OFF","enabled":false})"}};
}

std::string reason(const Sources& sources, std::string_view key, std::string_view origin = {}) {
  const auto found = sources.find(key, origin);
  return found ? (*found)->name : found.error().reason;
}

}  // namespace

TEST_CASE("a write key names its source", "[events]") {
  const auto sources = Sources::read(items(), true, IpMode::Truncate);

  REQUIRE(sources);
  CHECK(reason(*sources, "WK_SERVER") == "server");
  CHECK(reason(*sources, "WK_APP", "https://app.example") == "app");
  CHECK((*sources->find("WK_APP", ""))->ip == IpMode::None);
  CHECK(reason(*sources, "WK_APP", "https://evil.example") == "origin_not_allowed");
  CHECK(reason(*sources, "WK_OFF") == "source_disabled");
  CHECK(reason(*sources, "NOPE") == "unknown_write_key");
  CHECK(reason(*sources, "") == "write_key_required");
}

TEST_CASE("an unknown key does not end the search", "[events]") {
  const auto sources = Sources::read(items(), true, IpMode::Truncate);
  REQUIRE(sources);
  const std::vector<std::string> keys = {"", "some.oauth.token", "WK_SERVER"};

  const auto found = sources->find(keys, {});

  REQUIRE(found);
  CHECK((*found)->name == "server");
}

TEST_CASE("without sources a loopback daemon takes any key and others none", "[events]") {
  const auto open = Sources::read({}, true, IpMode::Truncate);
  const auto closed = Sources::read({}, false, IpMode::Truncate);

  CHECK(reason(*open, "") == "default");
  CHECK(reason(*open, "x") == "default");
  CHECK(reason(*closed, "x") == "unknown_write_key");
}

TEST_CASE("a source that is not understood is refused by name", "[events]") {
  const auto [json, field] = GENERATE(table<std::string, std::string>(
      {{R"({"name":"a"})", "sources.key"},
       {R"({"key":"k"})", "sources.name"},
       {R"({"name":"a","key":"k","kind":"tv"})", "sources.kind"},
       {R"({"name":"a","key":"k","ip":"some"})", "sources.ip"},
       {R"({"name":"a","key":"k","enabled":1})", "sources.enabled"},
       {R"({"name":"a","key":"k","origins":"x"})", "sources.origins"},
       {R"({"name":"a","key":"k","rate":10})", "sources.rate"},
       {R"({"name":"a","key":"k","rate":"0/s"})", "sources.rate"},
       {R"({"name":"a","key":"k","rate":"ten/s"})", "sources.rate"},
       {R"({"name":"a","key":"k","rate":"10"})", "sources.rate"},
       {R"({"name":"a","key":"k","rate":"10/d"})", "sources.rate"},
       {R"({"name":"a","key":"k","rate":"1000001/s"})", "sources.rate"},
       {R"({"name":"a","key":"k","colour":1})", "sources.colour"}}));
  const std::vector<Item> list = {{.json = json, .where = "edge.toml:3"}};

  const auto sources = Sources::read(list, true, IpMode::Truncate);

  REQUIRE_FALSE(sources);
  CHECK(sources.error().field == field);
}

TEST_CASE("a source's rate is requests in a second, a minute or an hour", "[events]") {
  using events::Rate;

  CHECK(events::read_rate("10/s") == Rate{.requests = 10, .period = std::chrono::seconds{1}});
  CHECK(events::read_rate("600/m") == Rate{.requests = 600, .period = std::chrono::minutes{1}});
  CHECK(events::read_rate("1/h") == Rate{.requests = 1, .period = std::chrono::hours{1}});
}

TEST_CASE("two sources with one key are refused", "[events]") {
  const std::vector<Item> list = {{.json = R"({"name":"a","key":"k"})"},
                                  {.json = R"({"name":"b","key":"k"})"}};

  CHECK(Sources::read(list, true, IpMode::Truncate).error().field == "sources.key");
}
