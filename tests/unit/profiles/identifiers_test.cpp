// SPDX-License-Identifier: MIT
#include "core/profiles/identifiers.h"

#include <catch2/catch.hpp>

#include "core/config/config.h"

namespace edge {
namespace {

std::vector<std::string> names(std::string_view event, const profiles::Rules& rules = {}) {
  const auto decoded = events::Event::decode(event);
  REQUIRE(decoded);
  std::vector<std::string> names;
  for (const auto& id : profiles::identifiers_of(*decoded, rules)) {
    names.push_back(id.type + "=" + id.value);
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("identifiers come strongest first, equal ones by type and value", "[profiles]") {
  CHECK(names(R"({"type":"identify","anonymousId":"a","userId":"u","traits":{"email":"E@x.de"},
                  "context":{"device":{"type":"iOS","id":"d","token":"t","advertisingId":"ad",
                                       "adTrackingEnabled":true}}})") == Names{"user_id=u",
                                                                               "email=e@x.de",
                                                                               "anonymous_id=a",
                                                                               "ios.id=d",
                                                                               "ios.idfa=ad",
                                                                               "ios.push_token=t"});
}

TEST_CASE("placeholders and blocked or endless values never identify", "[profiles]") {
  const profiles::Rules rules{.blocked = {"test-user"}};
  for (const char* value : {"",
                            "Null",
                            "UNDEFINED",
                            "n/a",
                            "<nil>",
                            "[]",
                            "{}",
                            "true",
                            "0",
                            "-1",
                            "00-00",
                            "-",
                            "LMY47D",
                            "test-user"}) {
    CHECK_FALSE(profiles::is_usable(value, rules));
  }
  CHECK_FALSE(profiles::is_usable(std::string(513, 'x'), rules));
  CHECK(profiles::is_usable(std::string(512, 'x'), rules));
  CHECK(profiles::is_usable("01", rules));
  CHECK(profiles::is_usable("test-user", {}));
  config::Identity settings;
  settings.blocked = {"Test-User"};
  const auto configured = profiles::rules_of(settings);
  REQUIRE(configured);
  CHECK_FALSE(profiles::is_usable("TEST-user", *configured));
}

TEST_CASE("a mail address needs one at sign with something on both sides", "[profiles]") {
  CHECK(profiles::normal_email(" A.B@X.example\t") == "a.b@x.example");
  for (const char* bad : {"", "a", "@x", "a@", "a@b@c", " @ "}) {
    CHECK(profiles::normal_email(bad).empty());
  }
}

TEST_CASE("traits of context identify only where an identify has no address", "[profiles]") {
  CHECK(
      names(
          R"({"type":"identify","traits":{"email":"a@x"},"context":{"traits":{"email":"b@x"}}})") ==
      Names{"email=a@x"});
  CHECK(
      names(R"({"type":"group","traits":{"email":"a@x"},"context":{"traits":{"email":"b@x"}}})") ==
      Names{"email=b@x"});
}

TEST_CASE("external ids count for users only and cannot claim a user id", "[profiles]") {
  CHECK(names(R"({"type":"track","context":{"externalIds":[
      {"collection":"users","type":"shop.id","id":"1x"}, {"collection":"accounts","type":"t","id":"x"},
      {"collection":"users","type":"user_id","id":"u"}, {"collection":"users","type":"Bad Type","id":"u"},
      {"collection":"users","type":"email","id":"A@x"}, {"collection":"users","type":"n","id":5}, 7]}})") ==
        Names{"email=a@x", "shop.id=1x"});
}

TEST_CASE("an event uses a bounded number of identifiers, the strongest", "[profiles]") {
  std::string event = R"({"type":"track","userId":"u","context":{"externalIds":[)";
  for (int i = 0; i < 100; ++i) {
    event += (i == 0 ? "" : ",") + std::string(R"({"collection":"users","type":"t","id":"i)") +
             std::to_string(i) + "\"}";
  }

  const auto found = names(event + "]}}");

  CHECK(found.size() == profiles::kMaxEventIdentifiers);
  CHECK(found.front() == "user_id=u");
}

TEST_CASE("the settings of identity become rules, a wrong one is named", "[profiles]") {
  const auto rules = profiles::rules_of(
      {.alias = "deny", .blocked = {"guest"}, .limits = {"email=2", "shop_id=3"}});
  REQUIRE(rules);
  CHECK_FALSE(rules->alias);
  CHECK(rules->limit_of("email") == 2);
  CHECK(rules->limit_of("shop_id") == 3);
  CHECK(rules->limit_of("user_id") == 1);
  CHECK_FALSE(profiles::is_usable("guest", *rules));
  for (const char* text : {"email", "=5", "email=", "email=0", "email=many", "email=5x"}) {
    const auto refused = profiles::rules_of({.limits = {text}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().field == "identity.limits");
    CHECK(refused.error().message.find(text) != std::string::npos);
  }
  CHECK(profiles::rules_of({.max_identifiers = 0}).error().field == "identity.max_identifiers");
  CHECK(profiles::rules_of({.max_merges = -1}).error().field == "identity.max_merges");
}

}  // namespace edge
