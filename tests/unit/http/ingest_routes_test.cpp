// SPDX-License-Identifier: MIT
// The ingest routes in a whole server: the golden vectors of tests/vectors/events/http.json, and
// what the vectors do not say.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/encoding/base64.h"
#include "core/events/event.h"
#include "core/json/document.h"
#include "daemon/http/forwarded.h"
#include "tests/support/vectors.h"
#include "tests/unit/http/ingest_daemon.h"

namespace json = edge::json;
namespace events = edge::events;
using edge::test::Answer;
using edge::test::kAsOwner;
using Daemon = edge::test::IngestDaemon;
using json::Value;

namespace {

std::string text(Value object, std::string_view name) {
  const auto found = object.find(name);
  return std::string(found ? found->as_string().value_or("") : "");
}

/// `expected` is contained in `got`: objects by member, lists element by element.
bool holds(Value got, Value expected) {
  if (expected.is_object()) {
    for (const auto& [name, value] : expected.members()) {
      const auto found = got.find(name);
      if (!found || !holds(*found, value)) {
        return false;
      }
    }
    return got.is_object();
  }
  if (expected.is_array()) {
    if (!got.is_array() || got.size() != expected.size()) {
      return false;
    }
    for (std::uint32_t i = 0; i < expected.size(); ++i) {
      if (!holds(*got.at(i), *expected.at(i))) {
        return false;
      }
    }
    return true;
  }
  return json::equal(got, expected);
}

std::string deflated(const std::string& plain, int window) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  std::string out(deflateBound(&stream, plain.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string body_of(Value request) {
  std::string body = text(request, "body");
  if (const auto coded = request.find("bodyBase64")) {
    body = *edge::encoding::base64_decode(*coded->as_string());
  }
  if (const auto repeat = request.find("bodyRepeat")) {
    body = text(*repeat, "before");
    for (std::int64_t i = 0; i < *repeat->find("count")->as_int64(); ++i) {
      body += text(*repeat, "unit");
    }
    body += text(*repeat, "after");
  }
  if (const auto encode = request.find("encode")) {
    for (const Value coding : encode->elements()) {
      body = deflated(body, coding.as_string() == "gzip" ? 15 + 16 : 15);
    }
  }
  return body;
}

void check_answer(const Answer& answer, Value expected) {
  CHECK(answer.status == expected.find("status")->as_int64());
  const auto document = json::Document::parse(answer.body, json::kStrict);
  if (const auto exact = expected.find("json")) {
    REQUIRE(document);
    CHECK(json::equal(document->root(), *exact));
  }
  if (const auto part = expected.find("jsonHas")) {
    REQUIRE(document);
    CHECK(holds(document->root(), *part));
  }
  if (const auto octets = expected.find("bodyBase64")) {
    CHECK(answer.body == edge::encoding::base64_decode(*octets->as_string()));
  }
  const auto headers = expected.find("headers");
  for (const auto& [name, value] : headers ? headers->members() : json::Members{}) {
    const std::string wanted(value.as_string().value());
    INFO(name);
    if (wanted.starts_with('~')) {
      CHECK(answer.field(name).find(wanted.substr(1)) != std::string::npos);
    } else {
      CHECK(answer.field(name) == wanted);
    }
  }
  const auto absent = expected.find("absentHeaders");
  for (const Value name : absent ? absent->elements() : json::Elements{}) {
    CHECK(answer.field(*name.as_string()).empty());
  }
}

}  // namespace

TEST_CASE("ingest routes answer as in the vectors", "[http][events]") {
  const auto content = edge::test::vector_text("events", "http.json");
  if (!content) {
    return;
  }
  const auto file = json::Document::parse(*content, json::kEvent);
  REQUIRE(file);
  edge::config::Config config;
  for (const Value source : file->root().find("sources")->elements()) {
    config.sources.push_back({.json = std::string(source.raw())});
  }
  Daemon daemon(std::move(config));
  std::size_t count = 0;
  for (const Value test : file->root().find("cases")->elements()) {
    const Value request = *test.find("request");
    const std::string target = text(request, "path");
    INFO(text(test, "id") << ": " << text(test, "description"));
    std::string fields;
    for (const auto& [name, value] : request.find("headers")->members()) {
      fields += fmt::format("{}: {}\r\n", name, *value.as_string());
    }

    const Answer answer = daemon.ask(text(request, "method"), target, fields, body_of(request));

    INFO(answer.head << answer.body);
    check_answer(answer, *test.find("expected"));
    ++count;
  }
  edge::test::report_vectors("events", "http.json", count);
}

TEST_CASE("the client behind proxies is found as in the vectors", "[http][events]") {
  const auto content = edge::test::vector_text("events", "network.json");
  if (!content) {
    return;
  }
  const auto file = json::Document::parse(*content, json::kEvent);
  REQUIRE(file);
  std::size_t count = 0;
  for (const Value test : file->root().find("clientIp")->elements()) {
    INFO(test.raw());
    edge::http::Request request;
    for (const auto& [name, value] : test.find("headers")->members()) {
      request.parts().fields.push_back({.name = name, .value = *value.as_string()});
    }
    std::vector<edge::http::Network> trusted;
    for (const Value network : test.find("trusted")->elements()) {
      trusted.push_back(edge::http::Network::parse(*network.as_string()).value());
    }

    const auto origin =
        edge::http::origin_of(request,
                              edge::http::Address::parse(text(test, "peer")).value(),
                              trusted,
                              "X-Forwarded-For");

    CHECK(origin.client.text() == text(test, "expected"));
    ++count;
  }
  edge::test::report_vectors("events", "network.json (clientIp)", count);
}

TEST_CASE("a store that takes nothing is 503 with a time to wait, never 4xx or 500",
          "[http][events]") {
  Daemon daemon;
  daemon.store().refuse_commits(
      edge::Error{edge::ErrorCode::Internal, "broken page", {}, "corrupt"});
  const std::string event = R"({"type":"track","event":"E","userId":"u"})";

  for (const auto& [target, body] :
       {std::pair<std::string, std::string>{"/v1/batch", "[" + event + "]"},
        {"/track/event", event},
        {"/track/batch", R"({"events":[)" + event + "]}"},
        {"/track/form", R"({"a":"b"})"}}) {
    INFO(target);
    const Answer answer = daemon.post(target, body);
    CHECK(answer.status == 503);
    CHECK(!answer.field("Retry-After").empty());
    CHECK(answer.body.find("broken page") == std::string::npos);
  }
}

TEST_CASE("an event that names nobody gets an anonymous id, which is told", "[http][events]") {
  Daemon daemon;

  const Answer answer = daemon.post("/track/event", R"({"eventType":"track","event":"E"})");

  const auto document = json::Document::parse(answer.body, json::kStrict);
  REQUIRE(document);
  const std::string made = text(document->root(), "anonymousId");
  CHECK(made.size() == 36);
  REQUIRE(daemon.log().size() == 1);
  CHECK(daemon.log()[0]->user == made);
}

TEST_CASE("a browser's form is led on only within this host", "[http][events]") {
  Daemon daemon;
  const auto submit = [&daemon](const std::string& redirect) {
    return daemon.ask(
        "POST",
        "/track/form/contact",
        "Content-Type: application/x-www-form-urlencoded\r\nReferer: https://s.example/contact\r\n",
        "email=ada%40l.example&_anonymousId=a&_redirect=" + redirect);
  };

  CHECK(submit("%2Fthanks").field("Location") == "/thanks");
  CHECK(submit("%2Fthanks").status == 303);
  CHECK(submit("http%3A%2F%2Flocalhost%2Fx").field("Location") == "http://localhost/x");
  CHECK(submit("%2Fd%C3%A4nke%20x").field("Location") == "/d%C3%A4nke%20x");
  for (const char* foreign : {"https%3A%2F%2Fevil.example",
                              "%2F%2Fevil.example",
                              "%2F%5Cevil.example",
                              "/%0d%0aX:1",
                              "/a%00b",
                              "/a%01b",
                              "/a%7Fb"}) {
    INFO(foreign);
    CHECK(submit(foreign).status == 204);
  }
  const auto event = events::Event::decode(daemon.log().front()->body);
  REQUIRE(event);
  CHECK(event->properties()->find("formId")->as_string() == "contact");
  CHECK(event->context()->at_pointer("/page/url")->as_string() == "https://s.example/contact");
}

TEST_CASE("what is wrong with an event of the original is named as it names it", "[http][events]") {
  Daemon daemon;

  CHECK(daemon.post("/track/event", R"({"eventType":"dance","user":{"userId":"u"}})")
            .body.find("\"/eventType\"") != std::string::npos);
  CHECK(daemon.post("/track/event", R"({"type":"dance","userId":"u"})").body.find("\"/type\"") !=
        std::string::npos);
  CHECK(daemon.post("/track/event", R"({"eventType":null,"type":"track","event":"E","userId":"u"})")
            .status == 200);
}

TEST_CASE("a filled honeypot is answered as usual and stores nothing", "[http][events]") {
  Daemon daemon;

  const Answer answer = daemon.post("/track/form", R"({"a":"1","_gotcha":"x"})");

  CHECK(answer.status == 200);
  CHECK(answer.body.find("eventId") != std::string::npos);
  CHECK(daemon.log().empty());
}

TEST_CASE("a form that cannot be read is refused", "[http][events]") {
  Daemon daemon;

  const Answer answer =
      daemon.ask("POST", "/track/form", "Content-Type: multipart/form-data\r\n", "x");

  CHECK(answer.status == 400);
  CHECK(answer.body.find("bad_form") != std::string::npos);
}

TEST_CASE("public event routes need a write key when they are not open", "[http][events]") {
  edge::config::Config config;
  config.track.open = false;
  config.sources.push_back({.json = R"({"name":"shop","key":"WK"})"});
  Daemon daemon(std::move(config));
  const std::string body = R"({"type":"track","event":"E","userId":"u"})";

  CHECK(daemon.post("/track/event", body).status == 401);
  CHECK(daemon.post("/track/event", body, "X-Write-Key: WK\r\n").status == 200);
  REQUIRE(daemon.log().size() == 1);
  CHECK(events::Event::decode(daemon.log()[0]->body)->source() == "shop");
}

TEST_CASE("more than a hundred refusals are not listed", "[http][events]") {
  Daemon daemon;
  std::string body = R"([{"type":"page","userId":"u"})";
  for (int i = 0; i < 120; ++i) {
    body += ",0";
  }

  const Answer answer = daemon.post("/v1/batch", body + "]");

  const auto document = json::Document::parse(answer.body, json::kStrict);
  REQUIRE(document);
  CHECK(document->root().find("rejected")->as_uint64() == 120);
  CHECK(document->root().find("errors")->size() == 100);
  CHECK(document->root().find("errorsTruncated")->as_bool() == true);
}

TEST_CASE("several packings are undone in reverse order", "[http][events]") {
  Daemon daemon;
  const std::string plain = R"([{"type":"page","userId":"u"}])";

  CHECK(daemon
            .post("/v1/batch",
                  deflated(deflated(plain, 15), 31),
                  "Content-Encoding: deflate, gzip\r\n")
            .status == 200);
  CHECK(daemon.post("/v1/batch", deflated(plain, -15), "Content-Encoding: deflate\r\n").status ==
        200);
  CHECK(daemon.post("/v1/batch", deflated(plain, 31).substr(0, 20), "Content-Encoding: gzip\r\n")
            .status == 400);
  const std::string members = deflated(plain.substr(0, 9), 31) + deflated(plain.substr(9), 31);
  CHECK(daemon.post("/v1/batch", members, "Content-Encoding: gzip\r\n").status == 200);
  for (const auto& [packed, coding] :
       {std::pair(deflated(plain, 31), "gzip"), {deflated(plain, 15), "deflate"}}) {
    const Answer answer = daemon.post(
        "/v1/batch", packed + "rest", std::string("Content-Encoding: ") + coding + "\r\n");
    CHECK(answer.status == 400);
    CHECK(answer.body.find("bad_json") != std::string::npos);
  }
}

TEST_CASE("a track with traits also identifies", "[http][events]") {
  Daemon daemon;

  const Answer answer =
      daemon.post("/cdp/track",
                  R"({"userId":"u","event":"E","messageId":"m","traits":{"plan":"pro"}})",
                  kAsOwner);

  INFO(answer.body);
  CHECK(answer.status == 200);
  REQUIRE(daemon.log().size() == 2);
  CHECK(daemon.log()[0]->id == "m");
  CHECK(daemon.log()[1]->id == "m-i");
  CHECK(daemon.log()[1]->kind == static_cast<std::uint32_t>(events::Type::Identify));
}

TEST_CASE("an identify of nobody is refused in the original's words", "[http][events]") {
  Daemon daemon;

  const Answer answer = daemon.post("/cdp/identify", R"({"traits":{}})", kAsOwner);

  CHECK(answer.status == 400);
  CHECK(answer.body.find("userId or anonymousId required") != std::string::npos);
  CHECK(daemon.post("/cdp/identify", R"({"userId":"u"})").status == 401);
}

TEST_CASE("stored events are listed newest first, page by page", "[http][events]") {
  Daemon daemon;
  for (const char* name : {"A", "B", "C"}) {
    daemon.post("/track/event",
                fmt::format(R"({{"type":"track","event":"{}","userId":"u"}})", name));
  }

  const Answer first = daemon.ask("GET", "/cdp/events?limit=2&userId=u", kAsOwner, "");
  const auto page = json::Document::parse(first.body, json::kStrict);
  REQUIRE(page);
  const Answer second =
      daemon.ask("GET", "/cdp/events?limit=2&cursor=" + text(page->root(), "next"), kAsOwner, "");
  const auto rest = json::Document::parse(second.body, json::kStrict);
  REQUIRE(rest);

  CHECK(page->root().at_pointer("/items/0/event")->as_string() == "C");
  CHECK(page->root().find("items")->size() == 2);
  CHECK(rest->root().at_pointer("/items/0/event")->as_string() == "A");
  CHECK(daemon.ask("GET", "/cdp/events?type=buy", kAsOwner, "").status == 400);
  CHECK(daemon.ask("GET", "/cdp/events?limit=x", kAsOwner, "").status == 400);
}

TEST_CASE("stored events are listed oldest first behind a position", "[http][events]") {
  Daemon daemon;
  for (const char* name : {"A", "B", "A", "C"}) {
    daemon.post("/track/event",
                fmt::format(R"({{"type":"track","event":"{}","userId":"u"}})", name));
  }
  const auto list = [&daemon](const std::string& query) {
    const auto page = json::Document::parse(
        daemon.ask("GET", "/cdp/events?" + query, kAsOwner, "").body, json::kStrict);
    REQUIRE(page);
    std::string names;
    for (const json::Value item : page->root().find("items")->elements()) {
      names += item.find("event")->as_string().value_or("?");
    }
    CHECK(page->root().find("positions")->size() == names.size());
    return std::pair(names, text(page->root(), "next"));
  };

  const auto [first, after_first] = list("after=0&limit=2");
  const auto [rest, end] = list("after=" + after_first + "&limit=2");
  const auto [none, still] = list("after=" + end);

  CHECK(first == "AB");
  CHECK(rest == "AC");
  CHECK(none.empty());
  CHECK(still == end);
  CHECK(list("after=0&event=A").first == "AA");
  CHECK(list("after=0&event=A&limit=1").first == "A");
  CHECK(list("after=0&userId=v").first.empty());
  CHECK(list("limit=9").first == "CABA");
  CHECK(daemon.ask("GET", "/cdp/events?after=x", kAsOwner, "").status == 400);
  CHECK(daemon.ask("GET", "/cdp/events?after=1&cursor=2", kAsOwner, "").status == 400);
}

TEST_CASE("a fetched tracking pixel becomes an event, a broken one is counted", "[http][events]") {
  Daemon daemon;

  const Answer good =
      daemon.ask("GET", "/v1/pixel/page?anonymousId=a-1&name=Home&properties.plan=pro", "", "");
  const Answer bad = daemon.ask("GET", "/v1/pixel/track?data=%25%25", "", "");

  CHECK(good.status == 200);
  CHECK(bad.body == good.body);
  const auto log = daemon.log();
  REQUIRE(log.size() == 1);
  CHECK(log[0]->body.find(R"("type":"page","name":"Home")") != std::string::npos);
  CHECK(log[0]->body.find(R"("plan":"pro")") != std::string::npos);
  const Answer metrics = daemon.ask("GET", "/metrics", kAsOwner, "");
  CHECK(metrics.body.find("edge_tracking_pixels_invalid_total 1") != std::string::npos);
}
