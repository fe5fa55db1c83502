// SPDX-License-Identifier: MIT
#include "core/events/form_body.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/events/shapes.h"

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

TEST_CASE(
    "secrets in the JSON values of a form are redacted at any depth, its write key is no field",
    "[events]") {
  const auto fields = events::read_form(
      "application/json",
      R"({"writeKey":"WK","user":{"password":"p-1","name":"A"},"list":[{"cardNumber":"p-2"},7.50]})");
  REQUIRE(fields);

  const auto form = events::from_form(*fields, "");

  CHECK(form.write_key == "WK");
  CHECK(form.raw.find(R"("fields":{"user":{"password":"[redacted]","name":"A"},)"
                      R"("list":[{"cardNumber":"[redacted]"},7.50]})") != std::string::npos);
  CHECK(form.raw.find("WK") == std::string::npos);
}

TEST_CASE("ids of a JSON form may be numbers", "[events]") {
  const auto fields = events::read_form("", R"({"_userId":77,"_formId":5,"_anonymousId":null})");
  REQUIRE(fields);

  const auto form = events::from_form(*fields, "");

  CHECK(form.raw.find(R"("userId":77)") != std::string::npos);
  CHECK(form.raw.find(R"("formId":"5")") != std::string::npos);
}

TEST_CASE("addresses of a form that are no UTF-8 do not lose it", "[events]") {
  const auto form = events::from_form({}, "https://s.example/\xFC", "\xFF");

  CHECK(form.raw.find("https://s.example/\xEF\xBF\xBD") != std::string::npos);
  CHECK(form.raw.find("\"formId\":\"\xEF\xBF\xBD\"") != std::string::npos);
}
