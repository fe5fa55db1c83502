// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <string>

#include "core/encoding/base64.h"
#include "core/encoding/hex.h"
#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"

namespace encoding = edge::encoding;

TEST_CASE("base64 of RFC 4648 reads and writes", "[encoding]") {
  const auto [plain, coded] = GENERATE(table<std::string, std::string>({{"", ""},
                                                                        {"f", "Zg=="},
                                                                        {"fo", "Zm8="},
                                                                        {"foo", "Zm9v"},
                                                                        {"foob", "Zm9vYg=="},
                                                                        {"\xFB\xFF", "+/8="}}));

  CHECK(encoding::base64_encode(plain) == coded);
  CHECK(encoding::base64_decode(coded) == plain);
  CHECK(encoding::base64url_decode(encoding::base64url_encode(plain)) == plain);
}

TEST_CASE("base64url is read in its canonical spelling only", "[encoding]") {
  const auto text =
      GENERATE(as<std::string>{}, "Zg==", "Zh", "Z", "+w", "/w", "Zm 9", "Zm9v\n", "Zm9vY");

  CHECK_FALSE(encoding::base64url_decode(text));
}

TEST_CASE("lenient base64 takes both alphabets and blanks for plus", "[encoding]") {
  CHECK(encoding::base64_decode_any(" /8") == "\xFB\xFF");
  CHECK(encoding::base64_decode_any("-_8=") == "\xFB\xFF");
  CHECK_FALSE(encoding::base64_decode_any("a*b"));
}

TEST_CASE("hexadecimal digits of both cases are read, lower case is written", "[encoding]") {
  CHECK(encoding::hex_encode("\x01\xAB") == "01ab");
  CHECK(encoding::hex_decode("01aB") == "\x01\xAB");
  CHECK_FALSE(encoding::hex_decode("abc"));
  CHECK_FALSE(encoding::hex_decode("zz"));
}

TEST_CASE("percent decoding is strict, form decoding is forgiving", "[encoding]") {
  CHECK(encoding::percent_decode("a%20b+c%2F") == "a b+c/");
  CHECK_FALSE(encoding::percent_decode("100%"));
  CHECK_FALSE(encoding::percent_decode("%zz"));
  CHECK(encoding::form_decode("a%20b+c%") == "a b c%");
  CHECK(encoding::percent_encode("a b/é") == "a%20b%2F%C3%A9");
  const auto pairs = encoding::parse_form("a=1&b&=x&a=2&&c=%3D");
  REQUIRE(pairs.size() == 5);
  CHECK(pairs[1] == std::pair<std::string, std::string>{"b", ""});
  CHECK(pairs[4].second == "=");
}

TEST_CASE("UTF-8 is checked strictly", "[encoding]") {
  CHECK(encoding::is_utf8("aé€😀"));
  const auto text = GENERATE(as<std::string>{},
                             "\x80",
                             "\xC0\x80",
                             "\xC1\xBF",
                             "\xE0\x80\x80",
                             "\xED\xA0\x80",
                             "\xF0\x80\x80\x80",
                             "\xF4\x90\x80\x80",
                             "\xF5\x80\x80\x80",
                             "\xE2\x82",
                             "\xC3(");
  CHECK_FALSE(encoding::is_utf8(text));
}

TEST_CASE("text orders by UTF-16 code units as in JavaScript", "[encoding]") {
  CHECK(encoding::compare_utf16("a", "b") < 0);
  CHECK(encoding::compare_utf16("a", "a") == 0);
  CHECK(encoding::compare_utf16("ab", "a") > 0);
  CHECK(encoding::compare_utf16("\xF0\x9F\x98\x80", "\xEF\xBD\x81") < 0);  // U+1F600 before U+FF41
  CHECK(encoding::count_code_points("aé€😀") == 4);
}
