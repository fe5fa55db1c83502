// SPDX-License-Identifier: MIT
#include "core/encoding/multipart.h"

#include <catch2/catch.hpp>
#include <string>

namespace encoding = edge::encoding;

namespace {

constexpr const char* kType = "Multipart/Form-Data; charset=utf-8; boundary=\"b 1\"";

edge::Result<std::vector<encoding::Part>> read(std::string_view body, const char* type = kType) {
  return encoding::read_form_data(type, body, 3);
}

std::string reason(std::string_view body, const char* type = kType) {
  const auto parts = read(body, type);
  return parts ? "ok" : parts.error().reason;
}

}  // namespace

TEST_CASE("fields and files of a form keep every octet", "[encoding]") {
  const std::string hostile = "\r\n--b 1x\r\n --b 1\r\n" + std::string(1, '\0') + "--b 2--\r\n";
  const std::string body =
      "preamble\r\n--b 1 \t\r\nContent-Disposition: form-data; name=\"value\"\r\n\r\n" + hostile +
      "\r\n--b 1\r\ncontent-disposition:form-data;name=cv; filename=\"a\\\"b;c.pdf\"\r\n"
      "Content-Transfer-Encoding: Binary\r\nContent-Type: application/pdf\r\n\r\n"
      "\r\n--b 1\r\n\r\nbare\r\n--b 1--\r\nepilogue";

  const auto parts = read(body);

  REQUIRE(parts);
  REQUIRE(parts->size() == 3);
  CHECK((*parts)[0].name == "value");
  CHECK_FALSE((*parts)[0].file_name);
  CHECK((*parts)[0].content == hostile);
  CHECK((*parts)[1].name == "cv");
  CHECK((*parts)[1].file_name == "a\"b;c.pdf");
  CHECK((*parts)[1].type == "application/pdf");
  CHECK((*parts)[1].content.empty());
  CHECK((*parts)[2].name.empty());
  CHECK((*parts)[2].content == "bare");
}

TEST_CASE("a form without parts is one", "[encoding]") {
  CHECK(read("--b 1--")->empty());
}

TEST_CASE("broken multipart bodies are refused", "[encoding]") {
  const std::string part = "Content-Disposition: form-data; name=a\r\n\r\nx\r\n--b 1";
  CHECK(reason("--b 1\r\n" + part + "--") == "ok");
  CHECK(reason("--b 1\r\n" + part + "--", "multipart/form-data") == "bad_form");
  CHECK(reason("--b 1\r\n" + part + "--", "multipart/form-data; boundary=\"b 1") == "bad_form");
  CHECK(reason("----", "multipart/form-data; boundary=") == "bad_form");
  const std::string longest(70, 'b');
  CHECK(reason("--" + longest + "--", ("multipart/form-data; boundary=" + longest).c_str()) ==
        "ok");
  CHECK(reason("--b" + longest + "--", ("multipart/form-data; boundary=b" + longest).c_str()) ==
        "bad_form");
  CHECK(reason("") == "bad_form");
  CHECK(reason("no boundary") == "bad_form");
  CHECK(reason("--b 1") == "bad_form");
  CHECK(reason("--b 1\n" + part + "--") == "bad_form");
  CHECK(reason("--b 1\r\n" + part) == "bad_form");
  CHECK(reason("--b 1\r\n" + part + "\n") == "bad_form");
  CHECK(reason("--b 1\r\nno end of fields\r\n--b 1--") == "bad_form");
  CHECK(reason("--b 1\r\nContent-Transfer-Encoding: base64\r\n" + part + "--") == "bad_form");
  CHECK(reason("--b 1\r\n" + part + "\r\n" + part + "\r\n" + part + "--") == "ok");
  CHECK(reason("--b 1\r\n" + part + "\r\n" + part + "\r\n" + part + "\r\n" + part + "--") ==
        "bad_form");
  CHECK(reason("--b 1\r\nX: " + std::string(encoding::kMaxPartHead, 'x') + "\r\n" + part + "--") ==
        "bad_form");
}

TEST_CASE("form data is told by its media type alone", "[encoding]") {
  CHECK(encoding::is_form_data(" multipart/FORM-data ;x"));
  CHECK_FALSE(encoding::is_form_data("multipart/form-datax"));
  CHECK_FALSE(encoding::is_form_data("multipart/mixed"));
  CHECK_FALSE(encoding::is_form_data(""));
}
