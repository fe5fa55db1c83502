// SPDX-License-Identifier: MIT
#include "core/webhooks/inbound.h"

#include <catch2/catch.hpp>

#include "core/json/document.h"

namespace edge::webhooks {
namespace {

std::optional<std::string> secret(const std::string& name) {
  return name == "SHOP" ? std::optional<std::string>("whsec_AAAA") : std::nullopt;
}

Result<std::vector<Inbound>> read(const std::string& table) {
  return read_inbound({{.json = table, .where = "edge.toml:7"}}, secret);
}

std::string member(const std::string& event, const char* name) {
  const auto document = json::Document::parse(event, json::kEvent);
  const auto value = document->root().find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

TEST_CASE("three webhooks exist without being configured", "[webhooks]") {
  const auto all = read_inbound({}, {});

  REQUIRE(all);
  REQUIRE(all->size() == 3);
  CHECK((*all)[1].name == "optimizely");
  CHECK((*all)[1].signing.scheme == Scheme::HubSha1);
  CHECK((*all)[2].signing.scheme == Scheme::Standard);
}

TEST_CASE("a webhook is configured with names of secrets", "[webhooks]") {
  const auto all =
      read(R"({"name":"shop","kind":"custom","scheme":"hmac","header":"X-Shop","secrets":["SHOP"],)"
           R"("algorithm":"sha512","encoding":"base64","prefix":"v0=","tolerance":"10m"})");

  REQUIRE(all);
  const Inbound& shop = all->at(0);
  CHECK(shop.signing.secrets == std::vector<std::string>{"whsec_AAAA"});
  CHECK(shop.signing.algorithm == crypto::Hash::Sha512);
  CHECK(shop.signing.base64);
  CHECK(shop.signing.tolerance == std::chrono::minutes(10));
  CHECK(all->size() == 4);
}

TEST_CASE("a wrong webhook is refused with its place and member", "[webhooks]") {
  const auto [text, field] = GENERATE(table<std::string, std::string>({
      {R"({})", "webhooks.name"},
      {R"({"name":"health"})", "webhooks.name"},
      {R"({"name":"a","typo":1})", "webhooks.typo"},
      {R"({"name":"a","kind":"x"})", "webhooks.kind"},
      {R"({"name":"a","scheme":"x"})", "webhooks.scheme"},
      {R"({"name":"a","algorithm":"md5"})", "webhooks.algorithm"},
      {R"({"name":"a","encoding":"x"})", "webhooks.encoding"},
      {R"({"name":"a","tolerance":"x"})", "webhooks.tolerance"},
      {R"({"name":"a","unsigned":1})", "webhooks.unsigned"},
      {R"({"name":"a","secret":"NONE"})", "webhooks.secret"},
      {R"({"name":"a","scheme":"hmac"})", "webhooks.header"},
  }));
  INFO(text);

  const auto all = read(text);

  REQUIRE_FALSE(all);
  CHECK(all.error().code == ErrorCode::InvalidArgument);
  CHECK(all.error().field == field);
  CHECK(all.error().message.starts_with("edge.toml:7"));
}

TEST_CASE("a repeated call makes the same events, another one others", "[webhooks]") {
  const Inbound custom{.name = "custom"};
  const Call call{.body = R"({"event":"paid"})", .message_id = "m1"};

  const auto first = events_of(custom, call);
  const auto again = events_of(custom, call);
  const auto other = events_of(custom, {.body = call.body, .message_id = "m2"});

  REQUIRE(first);
  CHECK(member(first->at(0), "messageId").starts_with("wh-"));
  CHECK(member(first->at(0), "anonymousId") == member(first->at(0), "messageId"));
  CHECK(first == again);
  CHECK(first != other);
}

TEST_CASE("events of a list that have no id get different ones, an own id stays", "[webhooks]") {
  const Inbound segment{.name = "segment", .kind = events::InboundKind::Segment};

  const auto events = events_of(
      segment,
      {.body = R"([{"event":"a","userId":"u"},{"event":"b","userId":"u","messageId":"own"},)"
               R"({"event":"c","userId":"u"}])"});

  REQUIRE(events);
  CHECK(member(events->at(0), "messageId") + "-2" == member(events->at(2), "messageId"));
  CHECK(member(events->at(1), "messageId") == "own");
  CHECK(member(events->at(1), "anonymousId").empty());
}

TEST_CASE("a body that cannot be read is refused", "[webhooks]") {
  CHECK_FALSE(events_of({.name = "custom"}, {.body = "{"}));
  CHECK_FALSE(events_of({.name = "custom"}, {.body = "[]"}));
}

TEST_CASE("Optimizely names the project whose datafile changed", "[webhooks]") {
  const Inbound optimizely{.name = "o", .kind = events::InboundKind::Optimizely};

  CHECK(updated_project(optimizely, R"({"project_id":12,"event":"project.datafile_updated"})") ==
        "12");
  CHECK(updated_project(optimizely, R"({"project_id":12,"event":"other"})").empty());
  CHECK(updated_project({.name = "c"}, R"({"project_id":12,"event":"project.datafile_updated"})")
            .empty());
}

}  // namespace
}  // namespace edge::webhooks
