// SPDX-License-Identifier: MIT
#include "core/pixels/codec.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "core/encoding/hex.h"
#include "core/pixels/gif.h"
#include "core/pixels/html.h"
#include "core/pixels/legacy.h"
#include "core/pixels/record.h"
#include "tests/support/vectors.h"

namespace pixels = edge::pixels;
namespace json = edge::json;
using edge::test::report_vectors;
using edge::test::vector_lines;
using edge::test::vector_text;

namespace {

json::Document parse(std::string_view text) {
  auto document = json::Document::parse(text, json::kDecision);
  REQUIRE(document);
  return std::move(*document);
}

std::string text_at(json::Value value, std::string_view name) {
  return std::string(*value.find(name)->as_string());
}

const pixels::KeyRing& ring() {
  static const pixels::KeyRing kRing = [] {
    const auto text = vector_text("identity", "pixel_keys.json");
    return pixels::KeyRing::parse(text.value()).value();
  }();
  return kRing;
}

pixels::ReadOptions options_of(json::Value line) {
  pixels::ReadOptions options;
  if (const auto given = line.find("options")) {
    options.now_s = given->find("now")->as_int64().value();
    if (const auto age = given->find("max_age")) {
      options.max_age_s = age->as_int64();
    }
    if (const auto future = given->find("max_future")) {
      options.max_future_s = future->as_int64().value();
    }
  }
  return options;
}

std::string result_of(const pixels::Reading& reading) {
  json::Writer out;
  out.begin_object();
  pixels::write_reading(out, reading);
  out.end_object();
  return out.take();
}

/// Every member of `expect` must stand in the result.
void check_expected(json::Value expect, const std::string& result) {
  const auto got = parse(result);
  for (const auto& [name, value] : expect.members()) {
    CAPTURE(name, result);
    const auto other = got.root().find(name);
    REQUIRE(other);
    CHECK(equal(value, *other));
  }
}

}  // namespace

TEST_CASE("tokens equal those of the reference and read back", "[pixels]") {
  const auto lines = vector_lines("identity", "pixel_v2.jsonl");
  if (!lines) {
    return;
  }
  for (const auto& line : *lines) {
    const auto document = parse(line);
    const auto root = document.root();
    CAPTURE(text_at(root, "id"));

    const auto claims = pixels::claims_of(*root.find("record"), pixels::TokenKind::Open, 0);
    REQUIRE(claims);
    const auto number = static_cast<unsigned>(root.find("kid")->as_uint64().value());
    const auto token = pixels::seal(
        *claims, ring(), {.key_number = number, .sealed = *root.find("sealed")->as_bool()});
    const auto reading = pixels::open_token(text_at(root, "token"), ring(), options_of(root));

    CHECK(token.value() == text_at(root, "token"));
    check_expected(*root.find("expect"), result_of(reading));
    CHECK(result_of(reading).size() > 10);
  }
  report_vectors("identity", "pixel_v2.jsonl", lines->size());
}

TEST_CASE("broken tokens get the status that the reference gives", "[pixels]") {
  const auto lines = vector_lines("identity", "pixel_v2_bad.jsonl");
  if (!lines) {
    return;
  }
  for (const auto& line : *lines) {
    const auto document = parse(line);
    const auto root = document.root();
    CAPTURE(text_at(root, "id"));

    const auto reading = pixels::open_token(text_at(root, "token"), ring(), options_of(root));

    const std::string status(name_of(reading.status));
    CAPTURE(status);
    bool allowed = false;
    for (const auto value : root.find("status")->elements()) {
      allowed = allowed || value.as_string() == status;
    }
    CHECK(allowed);
  }
  report_vectors("identity", "pixel_v2_bad.jsonl", lines->size());
}

TEST_CASE("records that cannot become a token are refused by name", "[pixels]") {
  const auto lines = vector_lines("identity", "pixel_v2_errors.jsonl");
  if (!lines) {
    return;
  }
  for (const auto& line : *lines) {
    const auto document = parse(line);
    const auto root = document.root();
    CAPTURE(text_at(root, "id"));

    const auto claims = pixels::claims_of(*root.find("record"), pixels::TokenKind::Open, 0);
    const auto token = claims ? pixels::seal(*claims, ring())
                              : edge::Result<std::string>(edge::Failure(claims.error()));

    REQUIRE_FALSE(token);
    CHECK(token.error().reason == text_at(root, "error"));
  }
  report_vectors("identity", "pixel_v2_errors.jsonl", lines->size());
}

TEST_CASE("tokens of the old layout are read and never trusted", "[pixels]") {
  const auto lines = vector_lines("identity", "pixel_v1.jsonl");
  const auto hashes = vector_text("identity", "pixel_v1_hash.json");
  if (!lines || !hashes) {
    return;
  }
  for (const auto& line : *lines) {
    const auto document = parse(line);
    CAPTURE(text_at(document.root(), "id"));

    const auto reading = pixels::open_token(text_at(document.root(), "token"), ring(), {});

    CHECK_FALSE(reading.authenticated());
    check_expected(*document.root().find("expect"), result_of(reading));
  }
  const auto pairs = parse(*hashes);
  for (const auto pair : pairs.root().elements()) {
    CHECK(pixels::legacy_checksum(*pair.at(0)->as_string()) == *pair.at(1)->as_string());
  }
  report_vectors("identity", "pixel_v1.jsonl", lines->size());
  report_vectors("identity", "pixel_v1_hash.json", pairs.root().size());
}

TEST_CASE("snippets are written as the reference writes them", "[pixels]") {
  const auto lines = vector_lines("identity", "pixel_snippets.jsonl");
  if (!lines) {
    return;
  }
  const auto form_of = [](std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, pixels::Snippet>, 7> kForms{
        {{"html", pixels::Snippet::Html},
         {"url", pixels::Snippet::Url},
         {"token", pixels::Snippet::Token},
         {"amp", pixels::Snippet::Amp},
         {"amp-email", pixels::Snippet::AmpEmail},
         {"markdown", pixels::Snippet::Markdown},
         {"mjml", pixels::Snippet::Mjml}}};
    const auto* const found =
        std::ranges::find(kForms, name, &std::pair<std::string_view, pixels::Snippet>::first);
    REQUIRE(found != kForms.end());
    return found->second;
  };
  for (const auto& line : *lines) {
    const auto document = parse(line);

    CHECK(pixels::snippet(form_of(text_at(document.root(), "format")),
                          text_at(document.root(), "url")) == text_at(document.root(), "text"));
  }
  report_vectors("identity", "pixel_snippets.jsonl", lines->size());
}

TEST_CASE("any flipped bit of a token is noticed", "[pixels][threat-2]") {
  const pixels::Claims claims{
      .issued_at = 1732369255, .campaign_id = "c", .email_id = "e", .recipient_id = "r"};
  const std::string token = pixels::seal(claims, ring(), {.key_number = 1}).value();
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  for (std::size_t i = 0; i < token.size(); ++i) {
    for (unsigned bit = 0; bit < 6; ++bit) {
      std::string changed = token;
      changed[i] = kAlphabet[kAlphabet.find(token[i]) ^ (1U << bit)];
      CAPTURE(i, bit);
      CHECK_FALSE(pixels::open_token(changed, ring(), {.now_s = 1732369255}).has_claims());
    }
  }
}

TEST_CASE("a token is found in an address or in HTML", "[pixels]") {
  CHECK(pixels::token_in("IAFn") == "IAFn");
  CHECK(pixels::token_in("https://t.example/pixel/track/IAFn.gif?x=1") == "IAFn");
  CHECK(pixels::token_in(R"(<p><img src="https://t.example/pixel/click/IAFn" width="1"></p>)") ==
        "IAFn");
}

TEST_CASE("the image has 43 octets and the address of a template token keeps its placeholder",
          "[pixels]") {
  CHECK(edge::encoding::hex_encode(pixels::kGif) ==
        "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b");
  CHECK(pixels::pixel_url("https://t.example/", "IA", "{{contact.id}}") ==
        "https://t.example/pixel/track/IA?r={{contact.id}}");
}
