// SPDX-License-Identifier: MIT
#include "core/pixels/mail_event.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/json/document.h"
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

/// The lists of a case that hold the client's address.
pixels::ListSet lists_of(json::Value document) {
  pixels::AddressLists lists;
  for (const auto& [name, networks] : document.at_pointer("/config/ip_lists")->members()) {
    std::string text;
    for (const json::Value network : networks.elements()) {
      text += std::string(*network.as_string()) + "\n";
    }
    REQUIRE(lists.add(pixels::address_list_of(name).value(), text, "list"));
  }
  const auto address = edge::transport::parse_ip(*document.at_pointer("/request/ip")->as_string());
  return address ? lists.holding(*address) : pixels::ListSet{};
}

pixels::Reading reading() {
  return {.status = pixels::Status::Ok,
          .claims = {.campaign_id = "c",
                     .email_id = "e",
                     .recipient_id = "u-1",
                     .metadata = R"({"a":1,"emailId":"x"})"}};
}

std::string event_of(const pixels::Visit& visit,
                     const pixels::Reading& token,
                     const pixels::Findings& findings,
                     const pixels::OpenPrivacy& privacy = {}) {
  return pixels::visit_event(visit, token, findings, privacy, edge::EventId{"m-1"});
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
    const auto since = root.find("seconds_since_sent");

    const auto verdict = pixels::OpenRules::defaults().classify(
        {.method = *request.find("method")->as_string(),
         .user_agent = agent,
         .sec_purpose = sec,
         .purpose = purpose,
         .x_purpose = x_purpose,
         .x_moz = moz,
         .lists = lists_of(root),
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
  const std::string text = event_of({.received_at = edge::from_ms(1'700'000'000'123),
                                     .token = "IAtoken",
                                     .query = "x=1&r=2&bad=%FF",
                                     .client_ip = "203.0.113.9",
                                     .user_agent = "Mozilla/5.0 (X11) Firefox/126.0",
                                     .referer = "https://mail.example/"},
                                    reading(),
                                    {.recipient = "u-1", .unique = true});

  CHECK(at(text, "/event") == "\"Email Opened\"");
  CHECK(at(text, "/userId") == "\"u-1\"");
  CHECK(at(text, "/timestamp") == "\"2023-11-14T22:13:20.123Z\"");
  CHECK(at(text, "/properties") ==
        R"({"a":1,"pixelId":"IAtoken","campaignId":"c","emailId":"e","recipientId":"u-1"})");
  CHECK(at(text, "/context/ip") == "\"203.0.113.0\"");
  CHECK(at(text, "/context/page/referrer") == "\"https://mail.example/\"");
  CHECK(at(text, "/context/userAgent") == "absent");
  CHECK(at(text, "/context/browser/name") == "\"Firefox\"");
  CHECK(at(text, "/context/pixel") ==
        R"({"openClass":"human","openRule":"default","machineOpen":false,"authenticated":true,)"
        R"("unique":true,"uniqueHuman":false,"duplicate":false,"queryParams":{"x":"1"}})");
}

TEST_CASE("a click becomes the event Email Link Clicked with the link", "[pixels]") {
  auto token = reading();
  token.claims.kind = pixels::TokenKind::Click;
  token.claims.url = "https://x.example/";
  token.claims.link_id = "hero";

  const std::string text =
      event_of({.kind = pixels::TokenKind::Click, .token = "IgA"}, token, {.recipient = "u-1"});

  CHECK(at(text, "/event") == "\"Email Link Clicked\"");
  CHECK(at(text, "/properties") == R"({"a":1,"campaignId":"c","emailId":"e","recipientId":"u-1",)"
                                   R"("url":"https://x.example/","linkId":"hero"})");
}

TEST_CASE("identity is left out where it must not be kept", "[pixels]") {
  using Privacy = pixels::OpenPrivacy;
  const edge::crypto::HmacSha256 key("key");
  const std::string nameless = event_of(
      {.client_ip = "203.0.113.9", .user_agent = "Firefox/1"}, reading(), {.nameless = true});
  const std::string full =
      event_of({.client_ip = "203.0.113.9", .user_agent = "Firefox/1"},
               reading(),
               {},
               {.ip = edge::events::IpMode::Full, .user_agent = Privacy::UserAgent::Full});
  const std::string hash =
      pixels::kept_recipient("u-1", {.recipients = Privacy::Recipients::Hash}, key);

  CHECK(at(nameless, "/userId") == "absent");
  CHECK(at(nameless, "/anonymousId") == "\"anonymous\"");
  CHECK(at(nameless, "/context/ip") == "absent");
  CHECK(at(nameless, "/context/browser") == "absent");
  CHECK(at(nameless, "/properties/recipientId") == "absent");
  CHECK(at(full, "/context/ip") == "\"203.0.113.9\"");
  CHECK(at(full, "/context/userAgent") == "\"Firefox/1\"");
  CHECK(pixels::kept_recipient("u-1", {}, key) == "u-1");
  CHECK(pixels::kept_recipient("u-1", {.recipients = Privacy::Recipients::None}, key).empty());
  CHECK(hash.starts_with("h-"));
  CHECK(hash.find("u-1") == std::string::npos);
  CHECK(hash != pixels::kept_recipient("u-2", {.recipients = Privacy::Recipients::Hash}, key));
}

TEST_CASE("texts of a request that are no UTF-8 or too long do not get into an event", "[pixels]") {
  const std::string text =
      event_of({.client_ip = "x", .user_agent = "Mozilla \xFF", .referer = std::string(3'000, 'a')},
               reading(),
               {},
               {.user_agent = pixels::OpenPrivacy::UserAgent::Full});

  CHECK(at(text, "/context/userAgent") == "absent");
  CHECK(at(text, "/context/page") == "absent");
}

TEST_CASE("a template token takes the recipient that the mail service filled in", "[pixels]") {
  auto token = reading();
  token.claims.recipient_id = "*";

  CHECK(pixels::recipient_of({.query = "r=u-7&r=second"}, token) == "u-7");
  CHECK(pixels::recipient_of({.query = "r={{contact.id}}"}, token).empty());
  CHECK(pixels::recipient_of({.query = "r=u-7"}, reading()) == "u-1");
  CHECK(at(event_of({}, token, {}), "/context/pixel/recipientAuthenticated") == "false");
}

TEST_CASE("privacy settings are read by name", "[pixels]") {
  CHECK(pixels::open_privacy(edge::events::IpMode::None, "full", "hash", true)->user_agent ==
        pixels::OpenPrivacy::UserAgent::Full);
  CHECK(pixels::open_privacy(edge::events::IpMode::None, "brand", "id", true).error().field ==
        "pixel.user_agent");
  CHECK(pixels::open_privacy(edge::events::IpMode::None, "family", "all", true).error().field ==
        "pixel.recipients");
}
