// SPDX-License-Identifier: MIT
// Rooms over WebSocket and HTTP.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>

#include "core/crypto/algorithm.h"
#include "core/tokens/jwk.h"
#include "core/tokens/jws.h"
#include "core/tokens/keyring.h"
#include "tests/unit/http/auth_daemon.h"
#include "tests/unit/http/socket_client.h"

namespace edge {
namespace {

using test::Answer;
using test::member;
using test::SocketClient;

constexpr const char* kJson = "Content-Type: application/json\r\nAuthorization: Bearer editor\r\n";

struct RoomDaemon : test::AuthDaemon {
  RoomDaemon() : AuthDaemon({.real = false}) {}
  [[nodiscard]] SocketClient enter(const std::string& path = "/api/rooms/hall/ws",
                                   const std::string& role = "editor") const {
    return SocketClient(
        server->endpoints().front(),
        path,
        "Authorization: Bearer " + role + "\r\nSec-WebSocket-Protocol: other, edge.v1\r\n");
  }
  [[nodiscard]] Answer publish(const std::string& body, const std::string& room = "hall") const {
    return ask("POST", "/api/rooms/" + room + "/publish", kJson, body);
  }
};

/// The next frame of that type; others are passed over.
std::string next_of(SocketClient& client, const std::string& type) {
  std::string text;
  do {
    text = client.text();
  } while (text != "(none)" && !text.starts_with("{\"type\":\"" + type + "\""));
  return text;
}

int close_code_of(SocketClient& client) {
  while (const auto frame = client.next()) {
    if (frame->opcode == http::Opcode::Close) {
      return frame->close_code();
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("clients of a room hear each other and what is published over HTTP", "[rooms]") {
  RoomDaemon daemon;
  SocketClient ada = daemon.enter();
  REQUIRE(ada.status() == 101);
  CHECK(ada.head().find("Sec-WebSocket-Protocol: edge.v1\r\n") != std::string::npos);
  CHECK(next_of(ada, "welcome").find(R"("room":"hall","userId":"someone","seq":0)") !=
        std::string::npos);
  SocketClient bob = daemon.enter();
  REQUIRE(next_of(bob, "welcome") != "(none)");

  bob.say(R"({"type":"publish","id":"x1","event":"note","data":{"n": 1.50}})");
  const Answer published = daemon.publish(R"({"event":"http","data":[true]})");

  CHECK(next_of(bob, "ack") == R"({"type":"ack","id":"x1","seq":1,"ts":1700000000000})");
  CHECK(published.body == R"({"seq":2,"delivered":2})");
  CHECK(next_of(ada, "event").find(R"("event":"note","data":{"n": 1.50}})") != std::string::npos);
  CHECK(next_of(ada, "event") ==
        R"({"type":"event","seq":2,"ts":1700000000000,"from":{"connectionId":"","userId":)"
        R"("someone"},"event":"http","data":[true]})");
  const Answer shown = daemon.get("/api/rooms/hall", "viewer");
  CHECK(member(shown, "/connections") == "2");
  CHECK(member(shown, "/users") == "1");
  CHECK(member(shown, "/seq") == "2");
  CHECK(member(daemon.get("/api/rooms/hall/history?after=1&limit=5", "viewer"), "/events/0/seq") ==
        "2");
  CHECK(member(daemon.get("/api/rooms/hall/history?limit=1", "viewer"), "/more") == "true");
}

TEST_CASE("every frame of a client has its answer", "[rooms]") {
  RoomDaemon daemon;
  SocketClient client = daemon.enter();
  const auto say = [&](const std::string& frame, const std::string& type) {
    client.say(frame);
    return next_of(client, type);
  };

  CHECK(say(R"({"type":"ping","t":7})", "pong") == R"({"type":"pong","t":7,"ts":1700000000000})");
  CHECK(say(R"({"type":"heartbeat"})", "heartbeat_response") ==
        R"({"type":"heartbeat_response","timestamp":1700000000000})");
  CHECK(say(R"({"type":"subscribe","events":["a"],"id":1})", "ack") == R"({"type":"ack","id":1})");
  CHECK(
      say(R"({"type":"publish","event":"a","data":1,"echo":true})", "event").find("\"data\":1}") !=
      std::string::npos);
  CHECK(say(R"({"type":"unsubscribe","events":["a"],"id":"u"})", "ack") ==
        R"({"type":"ack","id":"u"})");
  CHECK(say(R"({"type":"presence","state":{"at":"home"}})", "presence")
            .find(R"("state":{"at":"home"}})") != std::string::npos);
  CHECK(say(R"({"type":"history","after":0,"limit":10,"id":"h"})", "history")
            .starts_with(R"({"type":"history","id":"h","events":[{"type":"event","seq":1,)"));

  const auto error = [&](const std::string& frame) { return say(frame, "error"); };
  CHECK(error(R"({"type":"dance","id":"d"})") ==
        R"({"type":"error","id":"d","code":"unknown_type",)"
        R"("message":"there is no frame of type \"dance\""})");
  CHECK(error(R"({"type":"publish"})").find("event is a text of 1 to 256 octets") !=
        std::string::npos);
  CHECK(error(R"({"type":"publish","event":"a","to":[]})").find("to names somebody") !=
        std::string::npos);
  CHECK(error(R"({"type":"publish","event":"a","to":"all"})").find("to is a list") !=
        std::string::npos);
  CHECK(error(R"({"type":"publish","event":"a","echo":1})").find("echo is true or false") !=
        std::string::npos);
  CHECK(error(R"({"type":"history","limit":501})").find("limit is 1 to 500") != std::string::npos);
  CHECK(error(R"({"type":"history","after":-1})").find("after is a whole number") !=
        std::string::npos);
  CHECK(error(R"({"type":"subscribe","events":[1]})").find("an element of events") !=
        std::string::npos);
  CHECK(error(fmt::format(R"({{"type":"presence","state":"{}"}})", std::string(4'095, 'x')))
            .find("4096 octets") != std::string::npos);
}

TEST_CASE("members read and write the state of their room", "[rooms][state]") {
  RoomDaemon daemon;
  SocketClient ada = daemon.enter();
  SocketClient bob = daemon.enter();
  REQUIRE(next_of(bob, "welcome") != "(none)");
  const auto say = [&](const std::string& frame, const std::string& type) {
    ada.say(frame);
    return next_of(ada, type);
  };

  CHECK(say(R"({"type":"state.get","key":"topic","id":1})", "state") ==
        R"({"type":"state","id":1,"key":"topic","value":null,"version":0})");
  const std::string written =
      say(R"({"type":"state.put","key":"topic","value":{"t":1.50},"ifVersion":0,"id":2})", "state");
  CHECK(written.starts_with(R"({"type":"state","id":2,"key":"topic","value":{"t":1.50},)"));
  const std::string told = next_of(bob, "state");
  CHECK(told.starts_with(R"({"type":"state","key":"topic","value":{"t":1.50},"version":)"));
  const std::string conflict =
      say(R"({"type":"state.put","key":"topic","value":2,"ifVersion":0,"id":3})", "error");
  CHECK(conflict.starts_with(R"({"type":"error","id":3,"code":"conflict",)"));
  CHECK(conflict.substr(conflict.rfind(':')) == told.substr(told.rfind(':')));
  CHECK(member(daemon.get("/api/state/hall/topic", "editor"), "/value/t") == "1.50");

  CHECK(say(R"({"type":"state.put","value":2})", "error").find("state.put has a key") !=
        std::string::npos);
  CHECK(say(R"({"type":"state.get"})", "error").find("key is a text") != std::string::npos);
  SocketClient viewer = daemon.enter("/api/rooms/hall/ws", "viewer");
  viewer.say(R"({"type":"state.get","key":"topic"})");
  CHECK(next_of(viewer, "error").find("this needs state:read") != std::string::npos);
  viewer.say(R"({"type":"state.put","key":"topic","value":1})");
  CHECK(next_of(viewer, "error").find("this needs state:write") != std::string::npos);
}

TEST_CASE("who may only join is told so when publishing", "[rooms]") {
  RoomDaemon daemon;
  SocketClient viewer = daemon.enter("/api/rooms/hall/ws", "viewer");

  viewer.say(R"({"type":"publish","id":1,"event":"a"})");

  CHECK(next_of(viewer, "error") ==
        R"({"type":"error","id":1,"code":"forbidden","message":"this needs rooms:publish"})");
  CHECK(daemon
            .ask("POST",
                 "/api/rooms/hall/publish",
                 "Content-Type: application/json\r\nAuthorization: Bearer viewer\r\n",
                 R"({"event":"a"})")
            .status == 403);
  CHECK(daemon.ask("GET", "/api/rooms/hall", "X-API-Key: rooms:publish\r\n").status == 403);
}

TEST_CASE("frames that are none close the connection with 4400", "[rooms]") {
  RoomDaemon daemon;
  const std::string frame = GENERATE("no json", "[1]", R"({"event":"a"})", R"({"type":1})");
  SocketClient texts = daemon.enter();
  SocketClient binary = daemon.enter();

  texts.say(frame);
  binary.send(http::Opcode::Binary, R"({"type":"ping"})");

  CHECK(close_code_of(texts) == 4400);
  CHECK(close_code_of(binary) == 4400);
}

TEST_CASE("a client is held to 50 messages a second and closed when it goes on", "[rooms]") {
  RoomDaemon daemon;
  SocketClient client = daemon.enter();
  REQUIRE(next_of(client, "welcome") != "(none)");
  for (int i = 0; i < 101; ++i) {
    client.say(R"({"type":"ping"})");
  }
  CHECK(next_of(client, "error").find(R"("code":"rate_limited")") != std::string::npos);
  daemon.clock.advance(std::chrono::milliseconds(20));
  client.say(R"({"type":"ping","t":"again"})");
  CHECK(next_of(client, "pong").find("again") != std::string::npos);

  for (int i = 0; i < 100; ++i) {
    client.say(R"({"type":"ping"})");
  }

  CHECK(close_code_of(client) == 4429);
}

TEST_CASE("who comes back with after hears what it missed", "[rooms]") {
  RoomDaemon daemon;
  for (int i = 1; i <= 3; ++i) {
    REQUIRE(daemon.publish(fmt::format(R"({{"event":"e","data":{}}})", i)).status == 200);
  }

  SocketClient client = daemon.enter("/api/rooms/hall/ws?after=1");
  SocketClient ahead = daemon.enter("/api/rooms/hall/ws?after=9");

  CHECK(client.text().starts_with(R"({"type":"welcome")"));
  CHECK(client.text().starts_with(R"({"type":"event","seq":2,)"));
  CHECK(next_of(client, "event").starts_with(R"({"type":"event","seq":3,)"));
  CHECK(next_of(ahead, "gap") == R"({"type":"gap","from":4,"to":9})");
}

TEST_CASE("the events of a room come as server-sent events, from the last one heard", "[rooms]") {
  RoomDaemon daemon;
  REQUIRE(daemon.publish("{\"event\":\"e\",\"data\":[1,\n2]}").status == 200);
  REQUIRE(daemon.publish(R"({"event":"e","data":2})").status == 200);
  test::RawClient client(daemon.server->endpoints().front());
  const auto wait_for = [&client](std::string_view text) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (client.received().find(text) == std::string::npos &&
           std::chrono::steady_clock::now() < until) {
      client.read_to_end(std::chrono::milliseconds(10));
    }
    return client.received().find(text) != std::string::npos;
  };

  client.send(
      "GET /api/rooms/hall/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: "
      "0\r\nAuthorization: Bearer viewer\r\n\r\n");

  CHECK(wait_for("id: 1\ndata: {\"type\":\"event\",\"seq\":1,"));
  CHECK(wait_for("\"data\":[1,\ndata: 2]}\n\n"));
  CHECK(wait_for("id: 2\ndata: {"));
  REQUIRE(daemon.publish(R"({"event":"e","data":3})").body == R"({"seq":3,"delivered":1})");
  CHECK(wait_for("id: 3\ndata: {"));
  CHECK(client.received().find("Content-Type: text/event-stream\r\n") != std::string::npos);
  daemon.clock.advance(std::chrono::seconds(16));
  CHECK(wait_for(": \n\n"));
  CHECK(member(daemon.get("/api/rooms/hall", "viewer"), "/members") == "[]");
}

TEST_CASE("what is wrong with a request for a room is named", "[rooms]") {
  RoomDaemon daemon;
  const auto get = [&](const std::string& path) { return daemon.get(path, "editor"); };

  const Answer plain = get("/api/rooms/hall/ws");
  CHECK(plain.status == 426);
  CHECK(plain.field("Upgrade") == "websocket");
  CHECK(member(get("/api/rooms/a%20b"), "/code") == "bad_room");
  CHECK(daemon.enter("/api/rooms/a%2Fb/ws").status() == 400);
  CHECK(daemon.enter("/api/rooms/hall/ws?after=x").status() == 400);
  CHECK(get("/api/rooms/hall/events?after=-1").status == 400);
  CHECK(get("/api/rooms/hall/history?limit=501").status == 400);
  CHECK(get("/api/rooms/hall/history?limit=0").status == 400);
  CHECK(daemon.publish("{").status == 400);
  CHECK(daemon.publish(R"({"data":1})").status == 400);
  CHECK(member(daemon.publish(R"({"event":"x"})", "$cache"), "/code") == "room_not_allowed");
  CHECK(get("/api/rooms/$cache").status == 200);
}

TEST_CASE("keys that are written or deleted are told to $cache when that is asked for",
          "[rooms][kv]") {
  RoomDaemon daemon;
  SocketClient client = daemon.enter("/api/rooms/$cache/ws");
  REQUIRE(next_of(client, "welcome") != "(none)");

  CHECK(daemon.ask("PUT", "/api/cache/quiet", kJson, R"({"value":1})").status == 200);
  CHECK(daemon.ask("PUT", "/api/cache/a/b?invalidate=true", kJson, R"({"value":1})").status == 200);
  CHECK(daemon.ask("DELETE", "/api/kv/cache/c?invalidate=true", kJson).status == 200);

  CHECK(next_of(client, "event")
            .ends_with(R"("event":"invalidate","data":{"namespace":"cache","keys":["a/b"]}})"));
  CHECK(next_of(client, "event").find(R"("keys":["c"])") != std::string::npos);
}

TEST_CASE("pages of other origins open rooms only when they are allowed", "[rooms]") {
  RoomDaemon daemon;
  const auto status = [&](const std::string& fields) {
    return SocketClient(daemon.server->endpoints().front(),
                        "/api/rooms/hall/ws",
                        "Authorization: Bearer editor\r\n" + fields)
        .status();
  };

  CHECK(status("") == 101);
  CHECK(status("Origin: http://localhost\r\n") == 101);
  CHECK(status("Origin: https://elsewhere.example\r\n") == 403);
  CHECK(status("Origin: null\r\n") == 403);
}

TEST_CASE("a stopping daemon tells its rooms when to come back", "[rooms]") {
  RoomDaemon daemon;
  SocketClient client = daemon.enter();
  REQUIRE(next_of(client, "welcome") != "(none)");

  std::jthread stopping([&] { daemon.server->stop(); });

  CHECK(next_of(client, "closing") ==
        R"({"type":"closing","reason":"shutdown","retryAfterMs":1000})");
  CHECK(close_code_of(client) == 1001);
  client.send(http::Opcode::Close, "\x03\xe9");
}

TEST_CASE("the original's socket of a user gets updates in its own form", "[rooms]") {
  RoomDaemon daemon;
  const std::string fields = "Authorization: Bearer viewer\r\n";
  CHECK(daemon.get("/realtime/ws?userId=ada", "viewer").status == 426);
  SocketClient nobody = daemon.enter("/realtime/ws", "viewer");
  CHECK(nobody.status() == 400);
  SocketClient client = daemon.enter("/realtime/ws?userId=ada%40x.example", "viewer");
  REQUIRE(client.status() == 101);
  const std::string first = client.text();
  CHECK(first.starts_with(R"({"type":"connected","connectionId":")"));
  CHECK(first.ends_with(R"(","userId":"ada@x.example","timestamp":1700000000000})"));
  client.say(R"({"type":"heartbeat"})");
  CHECK(client.text() == R"({"type":"heartbeat_response","timestamp":1700000000000})");
  CHECK(daemon.get("/realtime/connections/ada%40x.example", "viewer").body ==
        R"({"userId":"ada@x.example","connections":1,"connected":true})");
  CHECK(daemon.get("/realtime/connections/bob", "viewer").body ==
        R"({"userId":"bob","connections":0,"connected":false})");

  const auto room = daemon.edge->rooms.find("user:ada@x.example");
  REQUIRE(room != nullptr);
  room->publish(0, {.event = "feature_flag_update", .data = R"({"flag":"f"})"}, [](const auto&) {});
  room->publish(0, {.event = "other", .data = "1"}, [](const auto&) {});

  CHECK(client.text() ==
        R"({"type":"feature_flag_update","userId":"ada@x.example","data":{"flag":"f"},)"
        R"("serverTimestamp":1700000000000})");
  CHECK(client.text().starts_with(R"({"type":"event","seq":2,)"));
}

namespace {

/// A daemon with a signing key of its own, for tokens of every kind.
struct TokenDaemon {
  test::AuthDaemon daemon;
  tokens::TokenKey key = tokens::plain_key(*crypto::Key::generate(crypto::KeyKind::Ed25519));

  TokenDaemon() {
    key.id = tokens::thumbprint(key.key);
    tokens::KeyRing ring;
    REQUIRE(ring.add(key, daemon.clock.now()));
    daemon.edge->login.rekey(*tokens::SigningKeys::of_ring(ring, daemon.clock.now()));
  }
  [[nodiscard]] std::string token(int lives, const std::string& more = {}) const {
    constexpr std::int64_t kNow = 1'700'000'000;
    return *tokens::make_jws(
        fmt::format(R"({{"alg":"EdDSA","kid":"{}","typ":"at+jwt"}})", *key.id),
        fmt::format(R"({{"iss":"edge-platform","aud":"edge-platform-api","sub":"ci","iat":{},)"
                    R"("exp":{},"roles":["viewer"]{}}})",
                    kNow,
                    kNow + lives,
                    more),
        key.key,
        *key.key.only_algorithm());
  }
  [[nodiscard]] SocketClient open(const std::string& path, const std::string& fields = {}) const {
    return SocketClient(daemon.server->endpoints().front(), path, fields);
  }
};

}  // namespace

TEST_CASE("a token may stand in the sub-protocol, one of 300 s in the query", "[rooms]") {
  TokenDaemon test;
  const std::string path = "/api/rooms/hall/ws";
  const auto offered = [](const std::string& token) {
    return "Sec-WebSocket-Protocol: edge.v1, bearer." + token + "\r\n";
  };

  CHECK(test.open(path).status() == 401);
  SocketClient browser = test.open(path, offered(test.token(900)));
  CHECK(browser.status() == 101);
  CHECK(browser.head().find("Sec-WebSocket-Protocol: edge.v1\r\n") != std::string::npos);
  CHECK(test.open(path, offered("x")).status() == 401);
  CHECK(test.open(path + "?token=" + test.token(300)).status() == 101);
  CHECK(test.open(path + "?token=" + test.token(301)).status() == 401);
  CHECK(test.open(path + "?after=0&token=" + test.token(60)).status() == 101);
  CHECK(test.daemon.ask("GET", "/api/rooms/hall?token=" + test.token(60), "").status == 401);
  test::RawClient events(test.daemon.server->endpoints().front());
  events.send("GET /api/rooms/hall/events?token=" + test.token(60) +
              " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (events.received().find("\r\n\r\n") == std::string::npos &&
         std::chrono::steady_clock::now() < until) {
    events.read_to_end(std::chrono::milliseconds(10));
  }
  CHECK(events.received().starts_with("HTTP/1.1 200 "));
  const auto room = test.daemon.edge->rooms.find("hall");
  REQUIRE(room != nullptr);
  test.daemon.clock.advance(std::chrono::seconds(61));
  room->publish(0, {.event = "late", .data = "1"}, [](const auto&) {});
  events.read_to_end();
  CHECK(events.received().find("late") == std::string::npos);
  CHECK(events.received().ends_with("0\r\n\r\n"));
}

TEST_CASE("the claim rooms bounds where a token is good, and its end closes the connection",
          "[rooms]") {
  TokenDaemon test;
  const std::string bearer =
      "Authorization: Bearer " + test.token(60, R"(,"rooms":["hall","team-*"])") + "\r\n";

  CHECK(test.open("/api/rooms/hall/ws", bearer).status() == 101);
  CHECK(test.open("/api/rooms/team-1/ws", bearer).status() == 101);
  CHECK(test.open("/api/rooms/hall2/ws", bearer).status() == 403);
  CHECK(test.open("/realtime/ws?userId=ada", bearer).status() == 403);
  const Answer refused = test.daemon.ask("GET", "/api/rooms/other", bearer);
  CHECK(member(refused, "/code") == "room_not_allowed");
  const std::string none = "Authorization: Bearer " + test.token(60, R"(,"rooms":"hall")") + "\r\n";
  CHECK(test.open("/api/rooms/hall/ws", none).status() == 403);
  SocketClient client = test.open("/api/rooms/hall/ws", bearer);
  REQUIRE(client.status() == 101);

  test.daemon.clock.advance(std::chrono::seconds(61));

  CHECK(close_code_of(client) == 4401);
}

}  // namespace edge
