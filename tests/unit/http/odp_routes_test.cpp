// SPDX-License-Identifier: MIT
// Optimizely's data platform as its SDKs use it, in a whole server.
#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"
#include "tests/unit/http/flags_daemon.h"

using edge::test::Answer;
using edge::test::FlagsDaemon;
using edge::test::member;

namespace {

constexpr std::string_view kNoFlags = R"({"version":"4"})";
constexpr std::string_view kUnknown =
    R"({"errors":[{"message":"could not resolve fs_user_id","path":["customer"],"extensions":{)"
    R"("classification":"DataFetchingException","code":"INVALID_IDENTIFIER_EXCEPTION"}}],)"
    R"("data":{"customer":null}})";

std::string inlined(std::string_view name, std::string_view id, std::string_view subset) {
  return fmt::format(
      R"({{"query" : "query {{customer({} : \"{}\") {{audiences(subset: [{}]) {{edges {{node {{name state}}}}}}}}}}"}})",
      name,
      id,
      subset);
}

void identify(const FlagsDaemon& daemon, std::string_view who) {
  const std::string body = fmt::format(R"({{{},"traits":{{"revenue":20000,"plan":"pro"}}}})", who);
  REQUIRE(daemon.post("/cdp/identify", body, "Authorization: Bearer edl_test\r\n").status == 200);
}

void with_source(edge::config::Config& config) {
  config.sources = {{.json = R"({"name":"site","key":"public"})", .where = "test"}};
}

}  // namespace

TEST_CASE("the qualified ones of the segments that are asked for are answered", "[odp]") {
  const FlagsDaemon daemon(kNoFlags);
  identify(daemon, R"("userId":"u","anonymousId":"vuid_1")");
  const std::string_view expected =
      R"({"data":{"customer":{"audiences":{"edges":[{"node":{"name":"high_value",)"
      R"("state":"qualified"}}]}}}})";

  const Answer literal =
      daemon.post("/v3/graphql", inlined("fs_user_id", "u", R"(\"high_value\",\"ghost\")"));
  const Answer by_device =
      daemon.post("/v3/graphql", inlined("vuid", "vuid_1", R"(\"high_value\")"));
  const Answer variables = daemon.post(
      "/v3/graphql",
      R"({"query":"query($userId: String, $audiences: [String]) {customer(fs_user_id: $userId) )"
      R"({audiences(subset: $audiences) {edges {node {name state}}}}}",)"
      R"("variables":{"userId":"u","audiences":["high_value","medium_value"]}})");

  CHECK(literal.status == 200);
  CHECK(literal.body == expected);
  CHECK(by_device.body == expected);
  CHECK(variables.body == expected);
}

TEST_CASE("nobody of that name and no segment are different answers", "[odp]") {
  const FlagsDaemon daemon(kNoFlags);
  identify(daemon, R"("userId":"u")");

  const Answer unknown = daemon.post("/v3/graphql", inlined("fs_user_id", "ghost", R"(\"a\")"));
  const Answer none = daemon.post("/v3/graphql", inlined("fs_user_id", "u", R"(\"ghost\")"));

  CHECK(unknown.status == 200);
  CHECK(unknown.body == kUnknown);
  CHECK(none.body == R"({"data":{"customer":{"audiences":{"edges":[]}}}})");
}

TEST_CASE("a question that cannot be read is refused in the form of GraphQL", "[odp]") {
  const FlagsDaemon daemon(kNoFlags);
  const std::string_view body =
      GENERATE("", "{", "[]", "{}", R"({"query":5})", R"({"query":"{customer}"})");

  const Answer answer = daemon.post("/v3/graphql", body);

  CHECK(answer.status == 400);
  CHECK(member(answer, "/errors/0/extensions/classification") == "InvalidSyntax");
  CHECK(member(answer, "/data") == "null");
}

TEST_CASE("events are taken, with their ids against repetition", "[odp]") {
  const FlagsDaemon daemon(kNoFlags);
  const std::string_view body =
      R"([{"type":"fullstack","action":"identified","identifiers":{"fs-user-id":"u","vuid":"v"},)"
      R"("data":{"idempotence_id":"id-1"}},)"
      R"({"type":"shop","action":"purchased","identifiers":{"fs_user_id":"u","email":"u@example.com"},)"
      R"("data":{"idempotence_id":"id-2","total":5}}])";

  const Answer answer = daemon.post("/v3/events", body);
  const Answer again = daemon.post("/v3/events", body);

  CHECK(answer.status == 202);
  CHECK(member(answer, "/title") == "Accepted");
  CHECK(member(answer, "/status") == "202");
  CHECK(member(answer, "/timestamp").ends_with("Z"));
  CHECK(again.status == 202);
  const Answer events =
      daemon.ask("GET", "/cdp/events?userId=u", "Authorization: Bearer edl_test\r\n");
  CHECK(member(events, "/items/0/event") == "shop.purchased");
  CHECK(member(events, "/items/0/properties/total") == "5");
  CHECK(member(events, "/items/1/type") == "identify");
  CHECK(member(events, "/items/2") == "(none)");
  const Answer profile = daemon.post(
      "/cdp/profile", R"({"email":"u@example.com"})", "Authorization: Bearer edl_test\r\n");
  CHECK(member(profile, "/userId") == "u");
}

TEST_CASE("somebody who is named by mail or by another id only is the same person each time",
          "[odp]") {
  const FlagsDaemon daemon(kNoFlags);
  const auto sent = [&](const std::string& identifiers) {
    return daemon
        .post("/v3/events",
              R"([{"type":"shop","action":"seen","identifiers":)" + identifiers + R"(,"data":{}}])")
        .status;
  };

  CHECK(sent(R"({"email":"O@x.example"})") == 202);
  CHECK(sent(R"({"email":" o@x.example "})") == 202);
  CHECK(sent(R"({"customer_id":"c-1"})") == 202);

  const std::string owner = "Authorization: Bearer edl_test\r\n";
  const Answer profile = daemon.post("/cdp/profile", R"({"email":"o@x.example"})", owner);
  CHECK(member(profile, "/eventCount") == "2");
  CHECK(member(profile, "/anonymousId").starts_with("odp-"));
  const Answer events = daemon.ask("GET", "/cdp/events?event=shop.seen", owner);
  CHECK(member(events, "/items/0/context/externalIds/0/id") == "c-1");
}

TEST_CASE("a list with something that is no event is refused as a whole", "[odp]") {
  const FlagsDaemon daemon(kNoFlags);
  const auto [body, index, code] = GENERATE(table<std::string, std::string, std::string>({
      {"", "0", "bad_json"},
      {"{}", "0", "events_required"},
      {"[5]", "0", "event_not_object"},
      {R"([{"action":"a","identifiers":{"vuid":"v"}},{"identifiers":{"vuid":"v"}}])",
       "1",
       "action_required"},
      {R"([{"action":"a"}])", "0", "identifiers_required"},
      {R"([{"action":"a","identifiers":{}}])", "0", "identifiers_required"},
      {R"([{"action":"a","identifiers":{"vuid":""}}])", "0", "identifiers_required"},
  }));

  const Answer answer = daemon.post("/v3/events", body);

  CHECK(answer.status == 400);
  CHECK(member(answer, "/status") == "400");
  CHECK(member(answer, "/events/0/event") == index);
  CHECK(member(answer, "/events/0/code") == code);
  const Answer events = daemon.ask("GET", "/cdp/events", "Authorization: Bearer edl_test\r\n");
  CHECK(member(events, "/items/0") == "(none)");
}

TEST_CASE("the key counts as a write key", "[odp]") {
  const FlagsDaemon daemon(kNoFlags, with_source);
  const std::string question = inlined("fs_user_id", "u", R"(\"a\")");

  const Answer missing = daemon.post("/v3/graphql", question);
  const Answer wrong = daemon.post("/v3/events", "[]", "x-api-key: other\r\n");
  const Answer right = daemon.post("/v3/graphql", question, "x-api-key: public\r\n");

  CHECK(missing.status == 401);
  CHECK(member(missing, "/errors/0/extensions/classification") == "write_key_required");
  CHECK(missing.field("www-authenticate").empty());
  CHECK(wrong.status == 401);
  CHECK(member(wrong, "/code") == "unknown_write_key");
  CHECK(right.body == kUnknown);
}

TEST_CASE("browsers may ask from pages of any origin", "[odp]") {
  const FlagsDaemon daemon(kNoFlags);

  const Answer preflight = daemon.ask("OPTIONS",
                                      "/v3/graphql",
                                      "Origin: https://shop.example\r\n"
                                      "Access-Control-Request-Method: POST\r\n"
                                      "Access-Control-Request-Headers: content-type,x-api-key\r\n");
  const Answer answer = daemon.post("/v3/events", "[]", "Origin: https://shop.example\r\n");

  CHECK(preflight.status == 204);
  CHECK(preflight.field("access-control-allow-headers") == "content-type,x-api-key");
  CHECK(answer.status == 202);
  CHECK(answer.field("access-control-allow-origin") == "https://shop.example");
}
