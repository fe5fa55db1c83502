// SPDX-License-Identifier: MIT
#include "core/pixels/classify.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/transport/address.h"
#include "tests/support/fakes.h"
#include "tests/support/vectors.h"

namespace pixels = edge::pixels;
using pixels::AddressList;
using pixels::AddressLists;
using pixels::OpenRules;

namespace {

pixels::ListSet lists_of(const AddressLists& lists, const std::string& address) {
  return lists.holding(edge::transport::parse_ip(address).value());
}

std::string rule(const std::string& when, const std::string& open_class) {
  return R"({"rules":[{"id":"r","when":)" + when + R"(,"class":")" + open_class + R"("}]})";
}

}  // namespace

TEST_CASE("the built-in rules are those of the golden file", "[pixels]") {
  const auto text = edge::test::vector_text("identity", "open_rules.json");
  if (!text) {
    return;
  }
  const auto golden = OpenRules::parse(*text);
  REQUIRE(golden);

  CHECK(*golden == OpenRules::defaults());
  edge::test::report_vectors("identity", "open_rules.json", 14);
}

TEST_CASE("an operator's rules replace the built-in ones", "[pixels]") {
  const auto rules = OpenRules::parse(
      R"({"rules":[{"id":"fast","when":{"seconds_since_sent_below":10},"class":"scanner"},)"
      R"({"id":"both","when":{"ua_contains":["Scan"],"header_contains":{"x-moz":"Pre"}},)"
      R"("class":"bot"}],"counted":{"bot":"none","proxy":"machine"}})");
  REQUIRE(rules);

  CHECK(rules->classify({.seconds_since_sent = 3}).rule == "fast");
  CHECK(rules->classify({.user_agent = "Scanner"}).rule == "default");
  const auto both = rules->classify({.user_agent = "Scanner", .x_moz = "PREfetch"});
  CHECK(both.rule == "both");
  CHECK(both.counted == pixels::CountedAs::Nothing);
  CHECK(rules->classify({.user_agent = "curl/8"}).open_class == pixels::OpenClass::Human);
}

TEST_CASE("rules that cannot be used are refused by their name", "[pixels]") {
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {"", "JSON"},
      {"{}", "\"rules\" must be a list"},
      {R"({"rules":[{}]})", "number 1"},
      {rule(R"({"ua_contians":["a"]})", "bot"), "ua_contians"},
      {rule(R"({"ua_contains":[]})", "bot"), "list of words"},
      {rule(R"({"ua_contains":[""]})", "bot"), "not empty"},
      {rule(R"({"ip_list":"friends"})", "bot"), "self, prefetch"},
      {rule(R"({"header_contains":{"cookie":"a"}})", "bot"), "sec-purpose"},
      {rule(R"({"seconds_since_sent_below":"soon"})", "bot"), "min_human_seconds"},
      {rule("{}", "robot"), "robot"},
      {rule("{}", "<the list>"), "<the list>"},
      {R"({"rules":[],"counted":{"bot":"twice"}})", "counted"},
  }));

  const auto rules = OpenRules::parse(text);

  CAPTURE(text);
  REQUIRE_FALSE(rules);
  CAPTURE(rules.error().message);
  CHECK((text.empty() || rules.error().message.find(words) != std::string::npos));
  CHECK(rules.error().field == "pixel.rules");
}

TEST_CASE("addresses are found in the networks of their lists, both families", "[pixels]") {
  AddressLists lists;
  REQUIRE(lists.add(AddressList::Proxy,
                    "# a provider\n203.0.113.0/24\n 198.51.100.7 # one\r\n2001:db8::/32\n",
                    "proxy.txt"));
  REQUIRE(lists.add(AddressList::Self, "203.0.113.128/25\n203.0.113.200/32\n", "self.txt"));

  CHECK(lists_of(lists, "203.0.113.9").to_string() == "0100");
  CHECK(lists_of(lists, "203.0.113.200").to_string() == "0101");
  CHECK(lists_of(lists, "203.0.114.0").none());
  CHECK(lists_of(lists, "198.51.100.7").any());
  CHECK(lists_of(lists, "198.51.100.8").none());
  CHECK(lists_of(lists, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff").any());
  CHECK(lists_of(lists, "2001:db9::").none());
  CHECK(lists_of(lists, "::ffff:203.0.113.9").any());
}

TEST_CASE("a wrong line of an address list is named with its file", "[pixels]") {
  AddressLists lists;
  const auto wrong = lists.add(AddressList::Scanner, "10.0.0.0/8\n\nten.example\n", "s.txt");
  const auto missing = AddressLists::load({{{}, {"/nonexistent/list"}, {}, {}}});

  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.starts_with("s.txt:3: \"ten.example\""));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().field == "pixel.lists.prefetch");
}
