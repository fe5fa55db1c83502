// SPDX-License-Identifier: MIT
#include "core/events/form_body.h"

#include <catch2/catch.hpp>
#include <string>

namespace events = edge::events;

namespace {

constexpr const char* kMultipart = "multipart/form-data; charset=utf-8; boundary=\"b 1\"";

std::string reason(std::string_view type, std::string_view body) {
  const auto fields = events::read_form(type, body);
  return fields ? "ok" : fields.error().reason;
}

}  // namespace

TEST_CASE("an urlencoded form gives its fields, the last of equal names", "[events]") {
  const auto fields = events::read_form("application/x-www-form-urlencoded", "a=1&b=x+y%21&a=2&=z");

  REQUIRE(fields);
  REQUIRE(fields->size() == 2);
  CHECK((*fields)[0].value == "2");
  CHECK((*fields)[1].value == "x y!");
}

TEST_CASE("of a file in a multipart form only name, size and type are kept", "[events]") {
  const auto fields = events::read_form(
      kMultipart,
      "--b 1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\nthere\r\n"
      "--b 1\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"a\\\"b.pdf\"\r\n"
      "Content-Type: application/pdf\r\n\r\n12345\r\n--b 1--\r\n");

  REQUIRE(fields);
  REQUIRE(fields->size() == 2);
  CHECK((*fields)[0].name == "note");
  CHECK((*fields)[0].value == "hello\r\nthere");
  CHECK((*fields)[1].value == R"({"name":"a\"b.pdf","size":5,"type":"application/pdf"})");
  CHECK((*fields)[1].is_json);
}

TEST_CASE("members of a JSON form keep their kinds", "[events]") {
  const auto fields =
      events::read_form("application/json", R"({"email":"a@b.example","age":4.50})");

  REQUIRE(fields);
  CHECK((*fields)[0].value == "a@b.example");
  CHECK_FALSE((*fields)[0].is_json);
  CHECK((*fields)[1].value == "4.50");
  CHECK((*fields)[1].is_json);
}

TEST_CASE("octets that are no UTF-8 are replaced", "[events]") {
  const auto fields = events::read_form("application/x-www-form-urlencoded", "a=%FFx");

  REQUIRE(fields);
  CHECK((*fields)[0].value == "\xEF\xBF\xBDx");
}

TEST_CASE("broken forms are refused", "[events]") {
  CHECK(reason("multipart/form-data", "--b\r\n") == "bad_form");
  CHECK(reason(kMultipart, "no boundary") == "bad_form");
  CHECK(reason(kMultipart, "--b 1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx") ==
        "bad_form");
  CHECK(reason(kMultipart, "--b 1\r\nno end of fields\r\n--b 1--") == "bad_form");
  CHECK(reason("application/json", "{") == "bad_json");
  CHECK(reason("application/json", "[]") == "body_not_object");
  CHECK(reason("application/x-www-form-urlencoded", std::string(2'000, '&')) == "bad_form");
}

TEST_CASE("secrets in forms are never stored", "[events]") {
  for (const char* name :
       {"Password", "user_pwd", "cc-number", "CVV", "iban", "api-token", "cardNo"}) {
    const auto form = events::from_form({{.name = name, .value = "s3cret"}}, {});

    INFO(name);
    CHECK(form.raw.find("s3cret") == std::string::npos);
  }
}
