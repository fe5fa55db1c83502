// SPDX-License-Identifier: MIT
// Flag snapshots are asked for with conditions (identity spec 4.9).
#include <catch2/catch.hpp>
#include <string>

#include "core/encoding/http_date.h"
#include "tests/unit/http/flag_daemon.h"

using edge::Time;
using edge::test::Answer;
using edge::test::FlagDaemon;

namespace {

const std::string kWho = "X-Optimizely-SDK-Key: KEY\r\nAuthorization: Bearer edl_test\r\n";

}  // namespace

TEST_CASE("what is known of a flag snapshot is not sent again", "[http]") {
  FlagDaemon daemon;
  const std::string path = GENERATE("/v1/config",
                                    "/v1/datafile",
                                    "/optimizely/datafile",
                                    "/optimizely/features",
                                    "/optimizely/experiments");
  INFO(path);
  const auto ask = [&](const std::string& fields) {
    return daemon.send("GET", path, kWho + fields);
  };

  const Answer whole = ask("");
  const std::string etag = whole.field("ETag");
  const std::string modified = whole.field("Last-Modified");
  REQUIRE(whole.status == 200);
  CHECK(etag.size() == 34);
  CHECK(etag.starts_with("\""));
  CHECK(edge::encoding::parse_http_date(modified));
  CHECK(whole.field("Cache-Control") == "no-cache");
  CHECK(whole.field("Vary").find("Authorization") != std::string::npos);

  for (const std::string& fields :
       {"If-None-Match: " + etag + "\r\n",
        "If-None-Match: \"x\", W/" + etag + "\r\n",
        std::string("If-None-Match: *\r\n"),
        "If-Modified-Since: " + modified + "\r\n",
        "If-None-Match: " + etag + "\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n"}) {
    INFO(fields);
    const Answer same = ask(fields);
    CHECK(same.status == 304);
    CHECK(same.body.empty());
    CHECK(same.field("ETag") == etag);
    CHECK(same.field("Cache-Control") == "no-cache");
    CHECK(same.field("Vary") == whole.field("Vary"));
  }
  for (const std::string& fields :
       {std::string("If-None-Match: \"x\"\r\n"),
        "If-None-Match: \"x\"\r\nIf-Modified-Since: " + modified + "\r\n",
        std::string("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
        std::string("If-Modified-Since: yesterday\r\n"),
        "If-Match: \"x\", " + etag + "\r\n"}) {
    INFO(fields);
    const Answer again = ask(fields);
    CHECK(again.status == 200);
    CHECK(again.body == whole.body);
  }
  const Answer other = ask("If-Match: \"x\"\r\n");
  CHECK(other.status == 412);
  CHECK(other.field("ETag").empty());
}

TEST_CASE("another datafile is another version", "[http]") {
  FlagDaemon daemon;
  const auto ask = [&](const std::string& fields) {
    return daemon.send("GET", "/v1/config", kWho + fields);
  };
  const Answer old = ask("");
  std::string next(edge::test::kFlagDatafile);
  next.replace(next.find("\"9\""), 3, "\"10\"");
  daemon.server.clock.advance(std::chrono::seconds(5));
  REQUIRE(daemon.edge->flags.project().replace(next));

  const Answer fresh = ask("If-None-Match: " + old.field("ETag") + "\r\n");
  const Answer since = ask("If-Modified-Since: " + old.field("Last-Modified") + "\r\n");

  CHECK(fresh.status == 200);
  CHECK(since.status == 200);
  CHECK(fresh.field("ETag") != old.field("ETag"));
  CHECK(fresh.field("Last-Modified") != old.field("Last-Modified"));
}

TEST_CASE("times of HTTP are written and read in one form", "[http]") {
  const auto [text, seconds] = GENERATE(table<std::string, std::int64_t>({
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'199},
  }));
  const Time time{std::chrono::seconds(seconds)};

  CHECK(edge::encoding::http_date(time) == text);
  CHECK(edge::encoding::parse_http_date(text) == time);
  CHECK_FALSE(edge::encoding::parse_http_date("Sun, 06 Nov 1994 24:49:37 GMT"));
  CHECK_FALSE(edge::encoding::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"));
  CHECK_FALSE(edge::encoding::parse_http_date("Thu, 30 Feb 2023 00:00:00 GMT"));
}
