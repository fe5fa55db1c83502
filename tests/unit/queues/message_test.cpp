// SPDX-License-Identifier: MIT
#include "core/queues/message.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/queues/records.h"

using namespace edge;
using namespace edge::queues;

namespace {

Result<NewMessage> read(const std::string& text) {
  const auto document = json::Document::parse(text, json::kApi);
  REQUIRE(document);
  return read_message(document->root());
}

Result<SendRequest> read_all(const std::string& text) {
  const auto document = json::Document::parse(text, json::kApi);
  REQUIRE(document);
  return read_batch(document->root());
}

}  // namespace

TEST_CASE("a message is read as its type says", "[queues]") {
  const auto [text, type, body] = GENERATE(table<std::string, ContentType, std::string>(
      {{R"({"body":{"a": 1.0}})", ContentType::Json, R"({"a": 1.0})"},
       {R"({"body":null})", ContentType::Json, "null"},
       {R"({"body":"t","content_type":null})", ContentType::Json, R"("t")"},
       {R"({"body":"tä","content_type":"text"})", ContentType::Text, "tä"},
       {R"({"body":"","content_type":"text"})", ContentType::Text, ""},
       {R"({"body":"AAEC","content_type":"bytes"})",
        ContentType::Bytes,
        std::string("\0\1\2", 3)}}));

  const auto message = read(text);

  REQUIRE(message);
  CHECK(message->type == type);
  CHECK(message->body == body);
  CHECK(!message->delay);
}

TEST_CASE("what is wrong with a message is told with its place", "[queues]") {
  const auto [text, reason, field] = GENERATE(table<std::string, std::string, std::string>(
      {{"{}", "bad_shape", "/body"},
       {R"({"body":1,"content_type":"text"})", "bad_shape", "/body"},
       {R"({"body":"!","content_type":"bytes"})", "bad_shape", "/body"},
       {R"({"body":1,"content_type":"v8"})", "bad_content_type", "/content_type"},
       {R"({"body":1,"content_type":7})", "bad_content_type", "/content_type"},
       {R"({"body":1,"delay_seconds":-1})", "bad_delay", "/delay_seconds"},
       {R"({"body":1,"delay_seconds":86401})", "bad_delay", "/delay_seconds"},
       {R"({"body":1,"delay_seconds":1.5})", "bad_delay", "/delay_seconds"},
       {R"({"body":1,"delay_seconds":"1"})", "bad_delay", "/delay_seconds"}}));

  const auto message = read(text);

  REQUIRE(!message);
  CHECK(message.error().reason == reason);
  CHECK(message.error().field == field);
}

TEST_CASE("a batch names the message that is wrong", "[queues]") {
  CHECK(read_all(R"({"messages":[{"body":1},{"body":2,"delay_seconds":0}],"delay_seconds":9})")
            ->messages.size() == 2);
  CHECK(read_all(R"({"messages":[{"body":1},{"bdy":2}]})").error().field == "/messages/1/body");
  for (const char* text : {"{}", R"({"messages":[]})", R"({"messages":{}})", "[]"}) {
    CHECK(read_all(text).error().reason == "bad_shape");
  }
  std::string many;
  for (int i = 0; i < 101; ++i) {
    many += R"({"body":1},)";
  }
  many.pop_back();
  CHECK(read_all(fmt::format(R"({{"messages":[{}]}})", many)).error().reason ==
        "too_many_messages");
}

TEST_CASE("the size of a message is that of its encoded body", "[queues]") {
  const std::string text(96'000, 'A');  // 72,000 octets as base64
  CHECK(read(fmt::format(R"({{"body":"{0}{0}","content_type":"text"}})", text)).error().reason ==
        "message_too_large");
  CHECK(read(fmt::format(R"({{"body":"{0}","content_type":"bytes"}})", text))->body.size() ==
        72'000);
  CHECK(read(fmt::format(R"({{"body":"{}"}})", std::string(127'999, 'x'))).error().reason ==
        "message_too_large");
}

TEST_CASE("a dead letter shows where it comes from", "[queues]") {
  json::Writer out;
  out.begin_object();
  write_content(out,
                {.body = "ab", .type = ContentType::Bytes, .source = "mail", .dead_attempts = 4});

  CHECK(out.end_object().take() ==
        R"({"body":"YWI=","metadata":{"CF-Content-Type":"bytes","CF-dead-letter-source":"mail",)"
        R"("CF-dead-letter-attempts":"4"}})");
}

TEST_CASE("the head of a message is read back from its item", "[queues]") {
  const Message message{.id = std::string(32, 'a'),
                        .type = ContentType::Text,
                        .timestamp = 123,
                        .attempts = 2,
                        .source = "mail",
                        .dead_attempts = 4,
                        .arrived = 456};

  CHECK(head_of({.tries = 2, .id = item_id(message)}) == message);
  for (const char* wrong :
       {"", "a", "a 1", "a x text", "a 1 v8", "a 1 text mail", "a 1 text m x 1"}) {
    CHECK(head_of({.id = wrong}).error().code == ErrorCode::Internal);
  }
}
