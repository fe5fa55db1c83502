// SPDX-License-Identifier: MIT
// /api/state over HTTP.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::member;

struct StateDaemon : test::AuthDaemon {
  StateDaemon() : AuthDaemon({.real = false}) {}

  [[nodiscard]] Answer send(const std::string& method,
                            const std::string& path,
                            const std::string& body = {},
                            const std::string& fields = {}) const {
    return ask(method,
               "/api/state" + path,
               "Content-Type: application/json\r\nAuthorization: Bearer editor\r\n" + fields,
               body);
  }
};

}  // namespace

TEST_CASE("a key is written, read with its version, changed only by who knows that, deleted",
          "[state]") {
  StateDaemon daemon;
  const Answer put = daemon.send("PUT", "/state/a/b", R"({"value":{"n":1.50}})");
  const std::string version = member(put, "/version");
  CHECK(put.body == R"({"success":true,"key":"a/b","version":)" + version + "}");
  const Answer got = daemon.send("GET", "/state/a/b");
  CHECK(got.body == R"({"key":"a/b","value":{"n":1.50},"version":)" + version + "}");
  CHECK(got.field("ETag") == "\"" + version + "\"");

  const Answer late = daemon.send("PUT", "/state/a/b", R"({"value":2,"ifVersion":0})");
  CHECK(late.status == 412);
  CHECK(member(late, "/error") == "Version mismatch");
  CHECK(member(late, "/version") == version);
  CHECK(daemon.send("PUT", "/state/a/b", R"({"value":2})", "If-None-Match: *\r\n").status == 412);
  CHECK(daemon.send("PUT", "/state/a/b", R"({"value":2})", "If-Match: \"1234\"\r\n").status == 412);
  CHECK(daemon.send("PUT", "/state/a/b", R"({"value":2})", "If-Match: \"" + version + "\"\r\n")
            .status == 200);
  CHECK(daemon.send("PUT", "/state/new", R"({"value":null,"ttl":5})", "If-None-Match: *\r\n")
            .status == 200);
  CHECK(member(daemon.send("GET", "/state/new"), "/expiresAt") == "1700000005000");
  CHECK(daemon.send("DELETE", "/state/a/b", "", "If-Match: \"" + version + "\"\r\n").status == 412);
  CHECK(daemon.send("DELETE", "/state/a/b").body == R"({"deleted":true})");
  CHECK(daemon.send("DELETE", "/state/a/b").body == R"({"deleted":false})");
  const Answer gone = daemon.send("GET", "/state/a/b");
  CHECK(gone.status == 404);
  CHECK(member(gone, "/error") == "Key not found");
}

TEST_CASE("sessions slide, counters count, lists list", "[state]") {
  StateDaemon daemon;
  CHECK(daemon.send("PUT", "/session/s1", R"({"value":{"user":1},"ttl":1800})").status == 200);
  daemon.clock.advance(std::chrono::seconds(1799));
  CHECK(member(daemon.send("PUT", "/session/s1", R"({"touch":true,"ttl":1800})"), "/success") ==
        "true");
  daemon.clock.advance(std::chrono::seconds(1799));
  CHECK(member(daemon.send("GET", "/session/s1"), "/value/user") == "1");
  CHECK(daemon.send("PUT", "/session/s2", R"({"touch":true,"ttl":1800})").status == 404);
  CHECK(daemon.send("PUT", "/session/s1", R"({"touch":true})").status == 400);

  CHECK(member(daemon.send("POST", "/state/hits/increment", R"({"by":2,"initial":40})"),
               "/value") == "42");
  const Answer counted = daemon.send("POST", "/state/hits/increment");
  CHECK(counted.body.starts_with(R"({"key":"hits","value":43,"version":)"));
  CHECK(daemon.send("POST", "/state/hits", "{}").status == 404);

  REQUIRE(daemon.send("PUT", "/state/a", R"({"value":"x"})").status == 200);
  const Answer page = daemon.send("GET", "/state?limit=1");
  CHECK(page.body.starts_with(R"({"entries":[{"key":"a","value":"x","version":)"));
  CHECK(member(daemon.send("GET", "/state?limit=1&cursor=" + member(page, "/cursor")),
               "/entries/0/key") == "hits");
  CHECK(member(daemon.send("GET", "/state?reverse=true"), "/entries/0/key") == "hits");
  CHECK(member(daemon.send("GET", "/state?prefix=hi&start=h&end=i"), "/entries/0/key") == "hits");
  CHECK(member(daemon.send("GET", "/nothing"), "/entries") == "[]");
}

TEST_CASE("a transaction over HTTP tells what became of each step", "[state]") {
  StateDaemon daemon;
  const Answer done = daemon.send(
      "POST",
      "/state",
      R"({"ops":[{"op":"check","key":"a","version":0},{"op":"put","key":"a","value":[1]},)"
      R"({"op":"increment","key":"n","by":3},{"op":"delete","key":"z"}]})");
  REQUIRE(done.status == 200);
  CHECK(member(done, "/success") == "true");
  CHECK(member(done, "/results/2/value") == "3");
  CHECK(member(done, "/results/3/version") == "0");
  const std::string version = member(done, "/results/1/version");

  const Answer late = daemon.send(
      "POST",
      "/state",
      R"({"ops":[{"op":"put","key":"b","value":1},{"op":"check","key":"a","version":0}]})");

  CHECK(late.status == 412);
  CHECK(member(late, "/failed") == "1");
  CHECK(member(late, "/version") == version);
  CHECK(daemon.send("GET", "/state/b").status == 404);
}

TEST_CASE("what is wrong with a request for state is named", "[state]") {
  StateDaemon daemon;
  const auto pointer = [&](const std::string& method,
                           const std::string& path,
                           const std::string& body,
                           const std::string& fields = {}) {
    const Answer answer = daemon.send(method, path, body, fields);
    CHECK(answer.status == 400);
    return member(answer, "/errors/0/pointer");
  };

  CHECK(pointer("PUT", "/state/a", "{}") == "/value");
  CHECK(pointer("PUT", "/state/a", R"({"value":1,"ttl":1.5})") == "/ttl");
  CHECK(pointer("PUT", "/state/a", R"({"value":1,"ttl":0})") == "/ttl");
  CHECK(pointer("PUT", "/state/a", R"({"value":1,"ifVersion":1})", "If-Match: \"1\"\r\n") ==
        "/ifVersion");
  CHECK(daemon.send("PUT", "/state/a", R"({"value":1})", "If-Match: 1\r\n").status == 400);
  CHECK(daemon.send("PUT", "/state/a", R"({"value":1})", "If-None-Match: \"1\"\r\n").status == 400);
  CHECK(pointer("POST", "/state/a/increment", R"({"by":"1"})") == "/by");
  CHECK(pointer("POST", "/state", R"({"ops":[{"op":"put","key":"a","value":1},{"op":"x"}]})") ==
        "/ops/1/op");
  CHECK(pointer("POST", "/state", R"({"ops":[{"op":"check","key":"a"}]})") == "/ops/0/version");
  CHECK(pointer("POST", "/state", R"({"ops":[{"op":"put","key":"","value":1}]})") == "/ops/0/key");
  CHECK(pointer("POST", "/state", R"({"op":[]})") == "/ops");
  CHECK(daemon.send("POST", "/state", R"({"ops":[]})").status == 400);
  CHECK(daemon.send("GET", "/state?limit=0").status == 400);
  CHECK(daemon.send("GET", "/state?cursor=!").status == 400);
  CHECK(daemon.send("GET", "/no%20space/a").status == 400);
  CHECK(daemon.ask("GET", "/api/state/state/a", "Authorization: Bearer viewer\r\n").status == 403);
  CHECK(daemon.send("PUT", "/state/a", "{\"value\":\"" + std::string(2'000'000, 'x') + "\"}")
            .status == 413);
}

}  // namespace edge
