// SPDX-License-Identifier: MIT
#include "core/transport/guard.h"

#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/vectors.h"

namespace edge::transport {
namespace {

std::vector<IpAddress> addresses(json::Value list) {
  std::vector<IpAddress> result;
  for (const json::Value text : list.elements()) {
    result.push_back(*parse_ip(*text.as_string()));
  }
  return result;
}

GuardRules rules_of(json::Value config) {
  GuardRules rules;
  if (const auto http = config.find("allow_http")) {
    rules.allow_http = *http->as_bool();
  }
  if (const auto networks = config.find("allow_private")) {
    for (const json::Value network : networks->elements()) {
      rules.allow_private.push_back(*parse_network(*network.as_string()));
    }
  }
  return rules;
}

bool reachable(std::string_view url,
               const std::vector<IpAddress>& resolved,
               const GuardRules& rules) {
  const auto target = parse_target(url, rules);
  return target && checked_address(*target, resolved, rules).has_value();
}

TEST_CASE("the outbound guard lets through what the vectors allow and nothing else",
          "[transport][threat-35]") {
  const auto lines = test::vector_lines("identity", "outbound_guard.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    INFO(line);
    const auto document = json::Document::parse(line, json::kStrict);
    REQUIRE(document);
    const json::Value test = document->root();

    const bool allowed = reachable(*test.find("url")->as_string(),
                                   addresses(*test.find("resolves_to")),
                                   rules_of(*test.find("config")));

    CHECK(allowed == *test.find("allow")->as_bool());
  }
  test::report_vectors("identity", "outbound_guard.jsonl", lines->size());
}

TEST_CASE("addresses are told apart as the network vectors say", "[transport]") {
  const auto text = test::vector_text("events", "network.json");
  if (!text) {
    return;
  }
  const auto document = json::Document::parse(*text, json::kEvent);
  REQUIRE(document);
  const json::Value cases = *document->root().find("egress");
  for (const json::Value test : cases.elements()) {
    INFO(test.raw());
    const std::string ip(*test.find("ip")->as_string());
    GuardRules rules;
    for (const json::Value network : test.find("allow")->elements()) {
      rules.allow_private.push_back(*parse_network(*network.as_string()));
    }
    const std::string url =
        ip.find(':') == std::string::npos ? "https://" + ip + "/" : "https://[" + ip + "]/";

    CHECK(reachable(url, {}, rules) == *test.find("allowed")->as_bool());
  }
  test::report_vectors("events", "network.json#egress", cases.size());
}

TEST_CASE("a URL is taken apart", "[transport]") {
  const auto target = parse_target("HTTPS://Hooks.Example:8443?key=1#part", {});

  REQUIRE(target);
  CHECK(target->tls);
  CHECK(target->host == "hooks.example");
  CHECK(target->port == 8443);
  CHECK(target->path == "/?key=1");
  CHECK(target->authority() == "hooks.example:8443");
}

TEST_CASE("an IPv6 host keeps its brackets in the Host field", "[transport]") {
  const auto target = parse_target("https://[2606:4700::1111]/a", {});

  REQUIRE(target);
  CHECK(target->authority() == "[2606:4700::1111]");
}

TEST_CASE("localhost may be named where loopback is allowed", "[transport]") {
  GuardRules rules;
  rules.add_loopback();

  CHECK(reachable("http://localhost:9/", {*parse_ip("127.0.0.1")}, rules));
  CHECK_FALSE(reachable("http://localhost:9/", {*parse_ip("10.0.0.1")}, rules));
}

TEST_CASE("a refused URL says why", "[transport]") {
  CHECK(parse_target("http://a.example/", {}).error().reason == "egress_denied");
  CHECK(parse_target("ftp://a.example/", {}).error().code == ErrorCode::InvalidArgument);
  CHECK(parse_network("10.0.0.0/33").error().code == ErrorCode::InvalidArgument);
  CHECK(parse_network("ten").error().code == ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace edge::transport
