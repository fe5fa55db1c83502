// SPDX-License-Identifier: MIT
#include "core/pixels/mail.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "core/pixels/html.h"
#include "core/pixels/placeholder.h"
#include "core/pixels/record.h"
#include "tests/support/vectors.h"

namespace pixels = edge::pixels;
namespace json = edge::json;

namespace {

const std::string kBase = "https://t.example.com";
const std::string kImage = R"(<img src="https://t.example.com/pixel/track/IA" />)";

const pixels::KeyRing& ring() {
  static const pixels::KeyRing kRing =
      pixels::KeyRing::parse(R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})")
          .value();
  return kRing;
}

pixels::LinkPlan plan() {
  return {.constants = {.kind = pixels::TokenKind::Click,
                        .issued_at = 1732369255,
                        .campaign_id = "c",
                        .email_id = "c"},
          .base_url = kBase};
}

pixels::RewrittenLinks rewrite(std::string_view html, const pixels::LinkPlan& how = plan()) {
  auto result = pixels::rewrite_links(html, how, ring());
  REQUIRE(result);
  return std::move(*result);
}

/// The target of the first click link of a text.
std::string target_in(const std::string& html) {
  const auto reading = pixels::open_token(pixels::token_in(html), ring(), {.now_s = 1732369255});
  CHECK(reading.status == pixels::Status::Ok);
  CHECK(reading.claims.kind == pixels::TokenKind::Click);
  return reading.claims.url;
}

/// The text with every click link of ours replaced by `@`.
std::string masked(std::string html) {
  const std::string start = kBase + "/pixel/click/";
  for (std::size_t at = html.find(start); at != std::string::npos; at = html.find(start, at)) {
    const std::size_t end = html.find_first_not_of(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", at + start.size());
    html.replace(at, std::min(end, html.size()) - at, "@");
  }
  return html;
}

std::string text_at(json::Value value, std::string_view name) {
  return std::string(value.find(name)->as_string().value());
}

}  // namespace

TEST_CASE("template tokens, their addresses and their recipients equal the reference's",
          "[pixels]") {
  const auto lines = edge::test::vector_lines("identity", "pixel_template.jsonl");
  const auto keys = edge::test::vector_text("identity", "pixel_keys.json");
  if (!lines || !keys) {
    return;
  }
  const auto known = pixels::KeyRing::parse(*keys).value();
  for (const auto& line : *lines) {
    const auto document = json::Document::parse(line, json::kStrict);
    const auto root = document->root();
    CAPTURE(text_at(root, "id"));
    const auto claims = pixels::claims_of(*root.find("record"), pixels::TokenKind::Open, 0);
    REQUIRE(claims);

    const auto token =
        pixels::seal(*claims,
                     known,
                     {.key_number = static_cast<unsigned>(root.find("kid")->as_uint64().value()),
                      .sealed = root.find("sealed")->as_bool().value()});

    REQUIRE(token);
    CHECK(*token == text_at(root, "token"));
    const std::string tag = text_at(root, "merge_tag");
    const bool click = claims->kind == pixels::TokenKind::Click;
    const std::string url = click ? pixels::click_url(text_at(root, "base_url"), *token, tag)
                                  : pixels::pixel_url(text_at(root, "base_url"), *token, tag);
    CHECK(url == text_at(root, "url"));
    if (!click) {
      CHECK(pixels::snippet(pixels::Snippet::Html, url, pixels::kDefaultStyle, tag) ==
            text_at(root, "html"));
    }
    for (const json::Value open : root.find("opens")->elements()) {
      const std::string query = text_at(open, "query");
      CAPTURE(query);
      CHECK(pixels::filled_in_recipient(query) == open.find("recipient")->as_string().value_or(""));
    }
  }
  edge::test::report_vectors("identity", "pixel_template.jsonl", lines->size());
}

TEST_CASE("links of a and area are rewritten and no other octet changes", "[pixels]") {
  const auto [html, expected] = GENERATE(table<std::string, std::string>({
      {R"(<p>a</p><a href="https://x.example/">x</a>)", R"(<p>a</p><a href="@">x</a>)"},
      {"<A HREF='http://x.example/'>x</A\r\n>", "<A HREF='@'>x</A\r\n>"},
      {"<a href=https://x.example/a>x</a>", "<a href=@>x</a>"},
      {"<a class=b  href = \" https://x.example/ \" >", "<a class=b  href = \"@\" >"},
      {"<area shape=rect href=\"https://x.example\"/>", "<area shape=rect href=\"@\"/>"},
      {"<a href=\"https://x.example/\" href=\"https://y.example/\">",
       "<a href=\"@\" href=\"https://y.example/\">"},
      {"<a\nhref=\"https://x.example/\">", "<a\nhref=\"@\">"},
      {"<![if !mso]><a href=\"https://x.example/\"><![endif]>",
       "<![if !mso]><a href=\"@\"><![endif]>"},
      {"\xFF\x00<a href=\"https://x.example/\">", "\xFF\x00<a href=\"@\">"},
  }));

  CHECK(masked(rewrite(html).html) == expected);
}

TEST_CASE("what is no link of a page stays as it is", "[pixels]") {
  const std::string html = GENERATE(as<std::string>{},
                                    "<link href=\"https://x.example/\">",
                                    "<img src=\"https://x.example/\">",
                                    "<!-- <a href=\"https://x.example/\"> -->",
                                    "<!--[if mso]><a href=\"https://x.example/\"><![endif]-->",
                                    "<style>a:after{content:'<a href=\"https://x.example/\">'}",
                                    "<script>\"<a href='https://x.example/'>\"</script>",
                                    "<textarea><a href=\"https://x.example/\"></textarea>",
                                    "<title><a href=\"https://x.example/\"></TITLE >",
                                    "<a href=\"https://x.example/",
                                    "<a title=\"href='https://x.example/'\">",
                                    "< a href=\"https://x.example/\">",
                                    "</a href=\"https://x.example/\">",
                                    "<abbr href=\"https://x.example/\">",
                                    "<plaintext><a href=\"https://x.example/\">");

  const auto result = rewrite(html);

  CHECK(result.html == html);
  CHECK(result.rewritten == 0);
}

TEST_CASE("links that must not be tracked are left alone, with the reason", "[pixels]") {
  const auto [html, why] = GENERATE(table<std::string, std::string>({
      {"<a href=\"mailto:a@b.example\">", "no http or https address"},
      {"<a href=\"tel:+49\">", "no http or https address"},
      {"<a href=\"#top\">", "no http or https address"},
      {"<a href=\"javascript:alert(1)\">", "no http or https address"},
      {"<a href=\"/relative\">", "no http or https address"},
      {"<a href=\"https://x.example/\" data-edge-skip>", "data-edge-skip"},
      {"<a href=\"https://x.example/{{id}}\">", "a placeholder in the address"},
      {"<a href=\"https://x.example/*|ID|*\">", "a placeholder in the address"},
      {"<a href=\"https://x.example/Unsubscribe?u=1\">", "an unsubscribe link"},
      {"<a href=\"https://x.example/u/1\">Click <b>to Unsubscribe</b></a>", "an unsubscribe link"},
      {"<a href=\"https://t.example.com/pixel/click/IgA\">", "ours already"},
      {"<a href=\"https://user@x.example/\">", "no address a token can hold"},
      {"<a href=\"https://x.example\\y\">", "no address a token can hold"},
      {"<a href=\"https://stra\u00dfe.example/\">", "no address a token can hold"},
  }));
  const auto result = rewrite("\n\n" + html);

  CHECK(result.html == "\n\n" + html);
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].why == why);
  CHECK(result.left[0].line == 3);
}

TEST_CASE("the target of a rewritten link is what the browser would have asked for", "[pixels]") {
  const auto [href, target] = GENERATE(table<std::string, std::string>({
      {"https://x.example/?a=1&amp;b=2", "https://x.example/?a=1&b=2"},
      {"https://x.example/?a=1&b=2", "https://x.example/?a=1&b=2"},
      {"https://x.example/?a&#61;1&#x26;b", "https://x.example/?a=1&b"},
      {"https://x.example/?a=1&copy=2", "https://x.example/?a=1&copy=2"},
      {"https://x.example/stra\u00dfe x", "https://x.example/stra%C3%9Fe%20x"},
      {"HTTPS://x.example/#part", "HTTPS://x.example/#part"},
  }));

  CHECK(target_in(rewrite("<a href=\"" + href + "\">").html) == target);
}

TEST_CASE("domains, patterns and unsubscribe links can be chosen", "[pixels]") {
  const std::string html =
      "<a href=\"https://shop.x.example/\">1</a><a href=\"https://evilx.example/\">2</a>"
      "<a href=\"https://x.example:8443/unsubscribe\">3</a>";
  auto only = plan();
  only.domains = {"X.example"};
  auto all = plan();
  all.track_unsubscribe = true;
  all.skip = [](std::string_view url) { return url.find("evil") != std::string_view::npos; };

  CHECK(rewrite(html, only).rewritten == 1);
  CHECK(rewrite(html, all).rewritten == 2);
  CHECK(masked(rewrite(html, all).html).starts_with("<a href=\"@\">1</a><a href=\"https://evil"));
}

TEST_CASE("a placeholder goes into a link as it is, with quotes where it needs them", "[pixels]") {
  auto tagged = plan();
  tagged.constants.recipient_id = "*";
  tagged.merge_tag = "<%= id %>";

  const std::string quoted = rewrite("<a href=\"https://x.example/\">", tagged).html;
  const std::string bare = rewrite("<a href=https://x.example/ b>", tagged).html;

  CHECK(masked(quoted) == "<a href=\"@?r=<%= id %>\">");
  CHECK(masked(bare) == "<a href=\"@?r=<%= id %>\" b>");
}

TEST_CASE("rewriting twice changes nothing more", "[pixels]") {
  const std::string once =
      rewrite("<a href=\"https://x.example/\">a</a><a href=\"https://y.example/\">b</a>").html;

  const auto twice = rewrite(once);

  CHECK(twice.html == once);
  CHECK(twice.left.size() == 2);
}

TEST_CASE("a pixel goes to its mark, else before the end of the body, and once only", "[pixels]") {
  const auto [html, expected] = GENERATE(table<std::string, std::string>({
      {"<body>a</body></html>", "<body>a@</body></html>"},
      {"<BODY>a</BODY >\n", "<BODY>a@</BODY >\n"},
      {"a<!-- edge:pixel -->b</body>", "a@b</body>"},
      {"<!-- </body> --><p></body>", "<!-- </body> --><p>@</body>"},
      {"<script>'</body>'</script></body>", "<script>'</body>'</script>@</body>"},
      {"a</body>b</body>", "a</body>b@</body>"},
      {"a<!-- edge:pixel -->b<!-- edge:pixel -->", "a@b<!-- edge:pixel -->"},
  }));
  std::string wanted = expected;
  wanted.replace(wanted.find('@'), 1, kImage);

  const auto once = pixels::with_pixel(html, kImage, kBase + "/");
  const auto twice = pixels::with_pixel(*once, "<img other>", kBase);

  CHECK(once == wanted);
  CHECK(twice == wanted);
  CHECK_FALSE(pixels::with_pixel("<p>no end", kImage, kBase));
}
