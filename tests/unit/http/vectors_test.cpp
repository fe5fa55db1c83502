// SPDX-License-Identifier: MIT
#include "tests/support/vectors.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "daemon/http/forwarded.h"
#include "daemon/http/request_ids.h"
#include "daemon/http/request_parser.h"
#include "tests/unit/http/fixture.h"

namespace edge {
namespace {

using test::Answer;
using test::RawClient;
using test::TestServer;

std::string text_of(json::Value value, std::string_view name) {
  const auto member = value.find(name);
  return member ? std::string(member->as_string().value_or("")) : std::string();
}

std::vector<std::string> texts_of(json::Value value, std::string_view name) {
  std::vector<std::string> out;
  if (const auto list = value.find(name)) {
    for (const json::Value element : list->elements()) {
      out.emplace_back(element.as_string().value_or(""));
    }
  }
  return out;
}

std::string octets_of(json::Value raw) {
  std::string out;
  for (const json::Value part : raw.elements()) {
    if (const auto encoded = part.find("b64")) {
      out += *encoding::base64_decode(*encoded->as_string());
    } else {
      out.append(static_cast<std::size_t>(*part.find("times")->as_int64()),
                 static_cast<char>(*part.find("byte")->as_int64()));
    }
  }
  return out;
}

/// What is wrong with what the server did, or nothing.
std::string judge(json::Value expect, const RawClient& client, bool closed) {
  const auto answers = client.answers();
  if (answers.empty()) {
    return expect.find("close_ok")->as_bool().value_or(false) && closed ? "" : "no answer";
  }
  bool status_fits = false;
  for (const json::Value status : expect.find("status")->elements()) {
    status_fits = status_fits || status.as_int64() == answers.front().status;
  }
  if (!status_fits) {
    return "status " + std::to_string(answers.front().status);
  }
  const auto most = expect.find("max_responses");
  const auto exact = expect.find("exact");
  const auto count = static_cast<std::int64_t>(answers.size());
  if ((most && count > *most->as_int64()) || (exact && count != *exact->as_int64())) {
    return "answers: " + std::to_string(answers.size());
  }
  const std::string forbidden = text_of(expect, "forbid");
  if (!forbidden.empty() && client.received().find(forbidden) != std::string::npos) {
    return "forbidden text";
  }
  return closed ? "" : "left open";
}

}  // namespace

TEST_CASE("malformed and odd requests get the answer that the vectors demand",
          "[http][threat-30][threat-33]") {
  const auto lines = test::vector_lines("identity", "http_malformed.jsonl");
  if (!lines) {
    return;
  }
  TestServer server;
  server.add_sample_routes();
  server.start();

  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value root = document->root();
    const json::Value expect = *root.find("expect");
    RawClient client(server.endpoint());
    client.send(octets_of(*root.find("raw")));
    if (!expect.find("must_close")->as_bool().value_or(false)) {
      client.finish();  // whatever else the server would say, it says now
    }
    const bool closed = client.read_to_end(std::chrono::seconds(6));

    INFO(text_of(root, "id") << ": " << client.received().substr(0, 300));
    CHECK(judge(expect, client, closed) == "");
  }
  test::report_vectors("identity", "http_malformed.jsonl", lines->size());
}

TEST_CASE("request ids and trace parents are kept or replaced", "[http][threat-31]") {
  const auto lines = test::vector_lines("identity", "request_ids.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const std::string value = text_of(document->root(), "value");
    const bool is_id = text_of(document->root(), "header") == "X-Request-Id";

    INFO(line);
    CHECK((is_id ? http::is_request_id(value) : http::is_trace_parent(value)) ==
          document->root().find("kept")->as_bool());
  }
  test::report_vectors("identity", "request_ids.jsonl", lines->size());
}

TEST_CASE("the client address behind proxies follows the trusted ones only", "[http][threat-22]") {
  const auto lines = test::vector_lines("identity", "forwarded.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value root = document->root();
    std::vector<http::Network> trusted;
    for (const std::string& text : texts_of(root, "trusted_proxies")) {
      trusted.push_back(http::Network::parse(text).value());
    }
    http::Request request;
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto [name, value] : root.find("headers")->members()) {
      fields.emplace_back(name, *value.as_string());
    }
    for (const auto& [name, value] : fields) {
      request.parts().fields.push_back({name, value});
    }

    const http::Origin origin = http::origin_of(
        request, *http::Address::parse(text_of(root, "peer")), trusted, "X-Forwarded-For");

    INFO(line);
    CHECK(origin.client.text() == text_of(*root.find("expect"), "client_ip"));
    CHECK((origin.https ? "https" : "http") == text_of(*root.find("expect"), "scheme"));
  }
  test::report_vectors("identity", "forwarded.jsonl", lines->size());
}

TEST_CASE("cross-origin fields follow the configured rule", "[http][threat-28]") {
  const auto lines = test::vector_lines("identity", "cors.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value root = document->root();
    const json::Value rule = *root.find("config");
    ServerConfig config;
    config.cors = {{.origins = texts_of(rule, "origins"),
                    .credentials = rule.find("credentials")->as_bool().value_or(false),
                    .methods = texts_of(rule, "methods"),
                    .headers = texts_of(rule, "headers"),
                    .expose = texts_of(rule, "expose"),
                    .max_age = static_cast<int>(*rule.find("max_age")->as_int64())}};
    TestServer server(std::move(config));
    server.add_sample_routes();
    server.start();
    const json::Value request = *root.find("request");
    std::string octets = text_of(request, "method") + " " + text_of(request, "path") +
                         " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto [name, value] : request.find("headers")->members()) {
      octets.append(name).append(": ").append(*value.as_string()).append("\r\n");
    }

    const Answer answer = server.ask(octets + "\r\n");

    INFO(line << "\n" << answer.head);
    const json::Value expect = *root.find("expect");
    if (const auto status = expect.find("status")) {
      CHECK(answer.status == *status->as_int64());
    }
    for (const auto [name, value] : expect.find("headers")->members()) {
      const std::string wanted(*value.as_string());
      const std::string found = answer.field(name);
      CHECK((wanted.starts_with('~') ? found.find(wanted.substr(1)) != std::string::npos
                                     : found == wanted));
    }
    for (const std::string& absent : texts_of(expect, "absent")) {
      const std::size_t colon = absent.find(':');
      const std::string found = answer.field(absent.substr(0, colon));
      CHECK((colon == std::string::npos
                 ? found.empty()
                 : found.find(absent.substr(colon + 1)) == std::string::npos));
    }
  }
  test::report_vectors("identity", "cors.jsonl", lines->size());
}

}  // namespace edge
