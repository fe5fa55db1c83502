// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"
#include "core/pixels/open_event.h"
#include "core/transport/address.h"
#include "tests/support/vectors.h"

namespace pixels = edge::pixels;
namespace json = edge::json;

namespace {

/// Header fields of a case by lower-case name.
std::string header(json::Value request, std::string_view wanted) {
  for (const auto& [name, value] : request.find("headers")->members()) {
    std::string lower(name);
    for (char& c : lower) {
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    if (lower == wanted) {
      return std::string(*value.as_string());
    }
  }
  return {};
}

/// The name of the list that holds the client's address.
std::string list_of(json::Value document) {
  const auto address = edge::transport::parse_ip(*document.at_pointer("/request/ip")->as_string());
  for (const auto& [name, networks] : document.at_pointer("/config/ip_lists")->members()) {
    for (const json::Value network : networks.elements()) {
      if (address && contains(*edge::transport::parse_network(*network.as_string()), *address)) {
        return std::string(name);
      }
    }
  }
  return {};
}

pixels::Reading reading() {
  return {.status = pixels::Status::Ok,
          .claims = {.campaign_id = "c",
                     .email_id = "e",
                     .recipient_id = "u-1",
                     .metadata = R"({"a":1,"emailId":"x"})"}};
}

std::string event_of(const pixels::Open& open,
                     const pixels::Reading& token,
                     const pixels::OpenPrivacy& privacy = {}) {
  return pixels::open_event(
      open, token, privacy, edge::crypto::HmacSha256("key"), edge::EventId{"m-1"});
}

std::string at(const std::string& text, std::string_view pointer) {
  const auto document = json::Document::parse(text, json::kStrict);
  REQUIRE(document);
  const auto value = document->root().at_pointer(pointer);
  return value ? std::string(value->raw()) : "absent";
}

}  // namespace

TEST_CASE("opens are classified by the default rules", "[pixels]") {
  const auto lines = edge::test::vector_lines("identity", "open_classification.jsonl");
  if (!lines) {
    return;
  }
  for (const auto& line : *lines) {
    const auto document = json::Document::parse(line, json::kDecision);
    const auto root = document->root();
    CAPTURE(std::string(*root.find("id")->as_string()));
    const auto request = *root.find("request");
    const std::string agent = header(request, "user-agent");
    const std::string sec = header(request, "sec-purpose");
    const std::string purpose = header(request, "purpose");
    const std::string x_purpose = header(request, "x-purpose");
    const std::string moz = header(request, "x-moz");
    const std::string list = list_of(root);
    const auto since = root.find("seconds_since_sent");

    const auto verdict = pixels::classify(
        {.method = *request.find("method")->as_string(),
         .user_agent = agent,
         .sec_purpose = sec,
         .purpose = purpose,
         .x_purpose = x_purpose,
         .x_moz = moz,
         .address_list = list,
         .seconds_since_sent = since && since->as_double()
                                   ? std::optional(static_cast<std::int64_t>(*since->as_double()))
                                   : std::nullopt,
         .min_human_seconds =
             root.at_pointer("/config/min_human_seconds")->as_int64().value_or(0)});

    const auto expect = *root.find("expect");
    CHECK(name_of(verdict.open_class) == expect.find("class")->as_string());
    CHECK(verdict.rule == expect.find("rule")->as_string());
    CHECK(verdict.is_machine() == expect.find("machineOpen")->as_bool());
  }
  edge::test::report_vectors("identity", "open_classification.jsonl", lines->size());
}

TEST_CASE("an open becomes the event Email Opened with the ids of the token", "[pixels]") {
  const std::string text = event_of({.request = {.user_agent = "Mozilla/5.0 (X11) Firefox/126.0"},
                                     .token = "IAtoken",
                                     .client_ip = "203.0.113.9",
                                     .query = "x=1&r=2",
                                     .received_at = edge::from_ms(1'700'000'000'123)},
                                    reading());

  CHECK(at(text, "/event") == "\"Email Opened\"");
  CHECK(at(text, "/userId") == "\"u-1\"");
  CHECK(at(text, "/timestamp") == "\"2023-11-14T22:13:20.123Z\"");
  CHECK(at(text, "/properties") ==
        R"({"a":1,"pixelId":"IAtoken","campaignId":"c","emailId":"e","recipientId":"u-1"})");
  CHECK(at(text, "/context/ip") == "\"203.0.113.0\"");
  CHECK(at(text, "/context/userAgent") == "absent");
  CHECK(at(text, "/context/browser/name") == "\"Firefox\"");
  CHECK(at(text, "/context/pixel/openClass") == "\"human\"");
  CHECK(at(text, "/context/pixel/authenticated") == "true");
  CHECK(at(text, "/context/pixel/queryParams/x") == "\"1\"");
}

TEST_CASE("identity is left out where it must not be kept", "[pixels]") {
  const std::string opted_out =
      event_of({.client_ip = "203.0.113.9", .opted_out = true}, reading());
  const std::string nameless =
      event_of({}, reading(), {.recipients = pixels::OpenPrivacy::Recipients::None});
  const std::string hashed =
      event_of({}, reading(), {.recipients = pixels::OpenPrivacy::Recipients::Hash});

  CHECK(at(opted_out, "/userId") == "absent");
  CHECK(at(opted_out, "/anonymousId") == "\"anonymous\"");
  CHECK(at(opted_out, "/context/ip") == "absent");
  CHECK(at(opted_out, "/properties/recipientId") == "absent");
  CHECK(at(nameless, "/userId") == "absent");
  CHECK(at(hashed, "/userId").starts_with("\"h-"));
  CHECK(hashed.find("u-1") == std::string::npos);
}

TEST_CASE("a template token takes the recipient that the mail service filled in", "[pixels]") {
  auto token = reading();
  token.claims.recipient_id = "*";
  const auto [query, expected] = GENERATE(table<std::string, std::string>(
      {{"r=u-7&r=second", "\"u-7\""}, {"r={{contact.id}}", "absent"}, {"", "absent"}}));

  const std::string text = event_of({.query = query}, token);

  CHECK(at(text, "/userId") == expected);
  CHECK(at(text, "/context/pixel/recipientAuthenticated") == "false");
}

TEST_CASE("privacy settings are read by name", "[pixels]") {
  CHECK(pixels::open_privacy(edge::events::IpMode::None, "full", "hash", true)->user_agent ==
        pixels::OpenPrivacy::UserAgent::Full);
  CHECK(pixels::open_privacy(edge::events::IpMode::None, "brand", "id", true).error().field ==
        "pixel.user_agent");
  CHECK(pixels::open_privacy(edge::events::IpMode::None, "family", "all", true).error().field ==
        "pixel.recipients");
}
