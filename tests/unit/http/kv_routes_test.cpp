// SPDX-License-Identifier: MIT
// /api/cache and /api/kv over HTTP.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "core/encoding/percent.h"
#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::member;

constexpr const char* kJson = "Content-Type: application/json\r\n";

struct KvDaemon : test::AuthDaemon {
  KvDaemon() : AuthDaemon({.real = false}) {}

  [[nodiscard]] Answer put(const std::string& path, const std::string& body) const {
    return ask("PUT", path, fmt::format("{}Authorization: Bearer editor\r\n", kJson), body);
  }
  [[nodiscard]] Answer show(const std::string& path) const { return get(path, "editor"); }
  [[nodiscard]] Answer remove(const std::string& path) const {
    return ask("DELETE", path, "Authorization: Bearer editor\r\n");
  }
};

}  // namespace

TEST_CASE("the cache keeps JSON under a key until it is deleted or ends", "[kv]") {
  KvDaemon daemon;
  const Answer put = daemon.put("/api/cache/greeting", R"({"value":{"n":1.50,"t":"hé"},"ttl":1})");
  CHECK(put.status == 200);
  CHECK(put.body == R"({"success":true,"key":"greeting"})");
  CHECK(daemon.show("/api/cache/greeting").body ==
        R"({"key":"greeting","value":{"n":1.50,"t":"hé"}})");
  CHECK(daemon.show("/api/kv/cache/greeting").status == 200);
  CHECK(daemon.show("/api/kv/00000000000000000000000000000001/greeting").status == 200);
  CHECK(daemon.show("/api/kv/sessions/greeting").status == 404);

  daemon.clock.advance(std::chrono::milliseconds(1'000));
  const Answer ended = daemon.show("/api/cache/greeting");
  CHECK(ended.status == 404);
  CHECK(member(ended, "/error") == "Key not found");
  CHECK(member(ended, "/code") == "key_not_found");

  CHECK(daemon.put("/api/cache/greeting", R"({"value":null})").status == 200);
  CHECK(daemon.show("/api/cache/greeting").body == R"({"key":"greeting","value":null})");
  CHECK(daemon.remove("/api/cache/greeting").body == R"({"success":true})");
  CHECK(daemon.remove("/api/cache/greeting").status == 200);
  CHECK(daemon.show("/api/cache/greeting").status == 404);
}

TEST_CASE("namespaces are named by title or id", "[kv]") {
  KvDaemon daemon;
  const auto made = daemon.edge->kv.namespaces.create("my shop/é");
  REQUIRE(made);
  const std::string title = encoding::percent_encode(made->title);
  CHECK(daemon.put("/api/kv/" + title + "/k", R"({"value":[1,2]})").status == 200);
  CHECK(daemon.show("/api/kv/" + made->id + "/k").body == R"({"key":"k","value":[1,2]})");
  CHECK(daemon.show("/api/cache/k").status == 404);
  for (const Answer& unknown : {daemon.show("/api/kv/none/k"),
                                daemon.put("/api/kv/none/k", R"({"value":1})"),
                                daemon.remove("/api/kv/none/k")}) {
    CHECK(unknown.status == 404);
    CHECK(member(unknown, "/error") == "Namespace not found");
    CHECK(member(unknown, "/detail") == "there is no namespace \"none\"");
  }
}

TEST_CASE("the rest of the path is the key and never a file", "[kv][threat-36]") {
  KvDaemon daemon;
  for (const char* path : {"a/b",
                           "a%2Fb",
                           "../../../etc/passwd",
                           "%2e%2e%2fetc%2fpasswd",
                           "a//b/",
                           "./x",
                           "..%5cwindows",
                           "caf%C3%A9",
                           "a%20b?"}) {
    INFO(path);
    const std::string target = fmt::format("/api/cache/{}", path);
    CHECK(daemon.put(target, R"({"value":7})").status == 200);
    CHECK(member(daemon.show(target), "/value") == "7");
  }
  CHECK(member(daemon.show("/api/cache/a%2Fb"), "/key") == "a/b");
  CHECK(member(daemon.show("/api/cache/..%2F..%2F../etc/passwd"), "/value") == "7");
  for (const char* bad : {".", "..", "%2e", "%2e%2E", "", "%FF", "%00", "a%zz"}) {
    INFO(bad);
    const std::string target = fmt::format("/api/cache/{}", bad);
    CHECK(daemon.put(target, R"({"value":7})").status == 400);
    CHECK(daemon.show(target).status == 400);
    CHECK(daemon.remove(target).status == 400);
  }
  CHECK(daemon.show("/api/cache/" + std::string(512, 'k')).status == 404);
  CHECK(daemon.show("/api/cache/" + std::string(513, 'k')).status == 400);
}

TEST_CASE("wrong bodies are refused with what is wrong", "[kv]") {
  KvDaemon daemon;
  const auto check = [&](const std::string& body, const std::string& pointer, const char* code) {
    INFO(body);
    const Answer answer = daemon.put("/api/cache/k", body);
    CHECK(answer.status == 400);
    CHECK(member(answer, "/code") == code);
    CHECK(member(answer, "/errors/0/pointer") == pointer);
  };
  check("{}", "/value", "invalid_argument");
  check("[1]", "/value", "invalid_argument");
  check(R"({"value":1,"ttl":"60"})", "/ttl", "invalid_argument");
  check(R"({"value":1,"ttl":1.5})", "/ttl", "invalid_argument");
  check(R"({"value":1,"ttl":0})", "(none)", "bad_expiry");
  check(R"({"value":1)", "(none)", "bad_json");
  check("", "(none)", "bad_json");
  CHECK(daemon
            .ask("PUT",
                 "/api/cache/k",
                 "Content-Type: text/plain\r\nAuthorization: Bearer editor\r\n",
                 R"({"value":1})")
            .status == 415);
  CHECK(daemon.show("/api/cache/k").status == 404);
}

TEST_CASE("a value of more than 25 MiB is refused while it is read", "[kv]") {
  KvDaemon daemon;
  // Nothing of the body is sent: what it declares is enough.
  CHECK(
      daemon
          .ask("PUT",
               "/api/cache/k",
               fmt::format("{}Authorization: Bearer editor\r\nContent-Length: 26215425\r\n", kJson))
          .status == 413);
  const std::string longest(kv::kMaxValueBytes - 2, 'v');
  CHECK(daemon.put("/api/cache/k", "{\"value\":\"" + longest + "\"}").status == 200);
  CHECK(daemon.show("/api/cache/k").body.size() == kv::kMaxValueBytes + 20);
  const Answer longer = daemon.put("/api/cache/k", "{\"value\":\"v" + longest + "\"}");
  CHECK(longer.status == 413);
  CHECK(member(longer, "/code") == "value_too_large");
}

TEST_CASE("values that other clients wrote are shown as text, or not at all", "[kv]") {
  KvDaemon daemon;
  const std::string cache = daemon.edge->config.kv.cache_id;
  REQUIRE(daemon.edge->kv.write(cache, {{"text", {"just \"text\""}}, {"octets", {"\xFF\xFE"}}}));
  CHECK(daemon.show("/api/cache/text").body == R"({"key":"text","value":"just \"text\""})");
  const Answer octets = daemon.show("/api/cache/octets");
  CHECK(octets.status == 409);
  CHECK(member(octets, "/code") == "value_not_text");
}

}  // namespace edge
