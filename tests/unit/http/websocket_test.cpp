// SPDX-License-Identifier: MIT
// WebSocket connections of the daemon's own server: opening, messages, pings, closing, slow
// readers.
#include "daemon/http/websocket.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/http/upgrade.h"
#include "tests/unit/http/socket_client.h"

using namespace edge;
using http::Opcode;
using http::WebSocket;
using test::client_frame;
using test::SocketClient;
using test::TestServer;

namespace {

constexpr std::chrono::seconds kPatience{10};

WebSocket::Text shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

/// A server that answers texts with `echo TEXT`.
class Echoing {
 public:
  explicit Echoing(WebSocket::Options options = {}) {
    server.route(
        http::Method::Get,
        "/socket",
        {.needs = http::Public},
        http::SyncHandler([this, options](const http::Request& request) -> Result<http::Response> {
          if (auto refused = http::refuse_upgrade(request)) {
            return std::move(*refused);
          }
          const auto offered = http::offered_protocols(request);
          return http::switch_protocols(request,
                                        offered.empty() ? "" : offered.back(),
                                        std::make_shared<WebSocket>(handlers(), options));
        }));
    server.start();
  }
  [[nodiscard]] SocketClient connect(std::string_view fields = {}) {
    return SocketClient(server.endpoint(), "/socket", fields);
  }
  [[nodiscard]] std::shared_ptr<WebSocket> last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  [[nodiscard]] bool wait_closed(int count) const {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (closed != count && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    return closed == count;
  }

  TestServer server;
  std::atomic<int> closed = 0;
  std::atomic<int> binary = 0;
  std::atomic<int> rooms = 0;

 private:
  WebSocket::Handlers handlers() {
    const auto held = std::make_shared<std::shared_ptr<WebSocket>>();
    return {
        .on_open =
            [this, held](const std::shared_ptr<WebSocket>& socket) {
              *held = socket;
              const std::lock_guard lock(mutex_);
              last_ = socket;
            },
        .on_text =
            [held](std::string_view text) { (*held)->send(shared("echo " + std::string(text))); },
        .on_binary =
            [this, held] {
              ++binary;
              (*held)->close(http::close_code::kBadFrame, "binary");
            },
        .on_room = [this] { ++rooms; },
        .on_closed =
            [this, held] {
              held->reset();
              ++closed;
            }};
  }

  mutable std::mutex mutex_;
  std::shared_ptr<WebSocket> last_;
};

}  // namespace

TEST_CASE("an opening is answered as RFC 6455 says, then texts go both ways", "[http][websocket]") {
  Echoing test;
  SocketClient client = test.connect("Sec-WebSocket-Protocol: one, two\r\n");
  client.raw.send(client_frame(Opcode::Text, "hel", false) + client_frame(Opcode::Ping, "p") +
                  client_frame(Opcode::Continuation, "lo"));

  CHECK(client.status() == 101);
  CHECK(client.head().find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") !=
        std::string::npos);
  CHECK(client.head().find("Sec-WebSocket-Protocol: two\r\n") != std::string::npos);
  CHECK(client.head().find("Upgrade: websocket\r\nConnection: Upgrade\r\n") != std::string::npos);
  CHECK(client.head().find("Content-Length") == std::string::npos);
  std::vector<std::string> got{client.text(), client.text()};
  std::ranges::sort(got);
  CHECK(got == std::vector<std::string>{"echo hello", "p"});
  std::jthread([&] { CHECK(test.last()->send(shared("from elsewhere"))); }).join();
  CHECK(client.text() == "from elsewhere");
}

TEST_CASE("octets sent together with the opening are frames already", "[http][websocket]") {
  Echoing test;
  test::RawClient raw(test.server.endpoint());

  raw.send(
      "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: "
      "WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
      "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
      client_frame(Opcode::Text, "early") + client_frame(Opcode::Close, ""));

  REQUIRE(raw.read_to_end());
  CHECK(
      raw.received().ends_with("\x81\x0a"
                               "echo early\x88\x02\x03\xe8"));
}

TEST_CASE("what is no opening is told so", "[http][websocket]") {
  Echoing test;
  const auto ask = [&](const std::string& fields) {
    return test.server.ask("GET /socket HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
  };
  const std::string asks = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  const auto plain = ask("");
  CHECK(plain.status == 426);
  CHECK(plain.field("Upgrade") == "websocket");
  CHECK(plain.field("Sec-WebSocket-Version") == "13");
  CHECK(plain.body.find("upgrade_required") != std::string::npos);
  CHECK(ask("Upgrade: websocket\r\n" + version + key).status == 426);
  CHECK(ask("Connection: Upgrade\r\nUpgrade: h2c\r\n" + version + key).status == 426);
  CHECK(ask(asks + "Sec-WebSocket-Version: 8\r\n" + key).status == 426);
  CHECK(ask(asks + version).status == 400);
  CHECK(ask(asks + version + "Sec-WebSocket-Key: c2hvcnQ=\r\n").status == 400);
  CHECK(ask(asks + version + key + key).status == 400);
  CHECK(ask(asks + version + key + "Content-Length: 2\r\n\r\n{}").status != 101);
}

TEST_CASE("a client that breaks the rules is closed with their code", "[http][websocket]") {
  Echoing test;
  SocketClient client = test.connect();

  client.raw.send("\x81\x02hi");

  const auto frame = client.next();
  REQUIRE(frame);
  CHECK(frame->opcode == Opcode::Close);
  CHECK(frame->close_code() == 1002);
  CHECK(test.wait_closed(1));
}

TEST_CASE("a close is answered with its code and ends the connection", "[http][websocket]") {
  Echoing test;
  SocketClient client = test.connect();

  client.send(Opcode::Close,
              "\x0f\xa1"
              "done");

  const auto frame = client.next();
  REQUIRE(frame);
  CHECK(frame->close_code() == 4001);
  CHECK(client.raw.read_to_end());
  CHECK(test.wait_closed(1));
  CHECK_FALSE(test.last()->send(shared("late")));
}

TEST_CASE("what the handlers close says its code behind what waits", "[http][websocket]") {
  Echoing test;
  SocketClient client = test.connect();

  client.say("first");
  client.send(Opcode::Binary, "x");

  CHECK(client.text() == "echo first");
  const auto frame = client.next();
  REQUIRE(frame);
  CHECK(frame->close_code() == 4400);
  CHECK(frame->payload.substr(2) == "binary");
  CHECK(test.binary == 1);
  client.send(Opcode::Binary, "not heard");
  client.send(Opcode::Close, "\x11\x30");
  CHECK(client.raw.read_to_end());
  CHECK(test.binary == 1);
}

TEST_CASE("a client that answers pings stays, one that does not is closed with 4408",
          "[http][websocket]") {
  Echoing test;
  SocketClient good = test.connect();
  REQUIRE(good.status() == 101);
  SocketClient bad = test.connect();
  REQUIRE(bad.status() == 101);

  for (int i = 0; i < 4; ++i) {
    test.server.clock.advance(std::chrono::seconds(31));
    const auto ping = good.next();
    REQUIRE(ping);
    CHECK(ping->opcode == Opcode::Ping);
    good.send(Opcode::Pong, ping->payload);
    good.say("seen");
    REQUIRE(good.text() == "echo seen");
    const auto got = bad.next();
    REQUIRE(got);
    if (i < 2) {
      CHECK(got->opcode == Opcode::Ping);
    } else {
      CHECK(got->close_code() == 4408);
      break;
    }
  }

  CHECK(test.wait_closed(1));
  good.say("still");
  CHECK(good.text() == "echo still");
}

TEST_CASE("a token that ends closes its connection with 4401", "[http][websocket]") {
  Echoing test({.valid_until = from_ms(1'700'000'000'000 + 20'000)});
  SocketClient client = test.connect();
  REQUIRE(client.status() == 101);

  test.server.clock.advance(std::chrono::seconds(21));

  const auto frame = client.next();
  REQUIRE(frame);
  CHECK(frame->close_code() == 4401);
}

TEST_CASE("a stopping server says good bye and closes with 1001", "[http][websocket]") {
  Echoing test({.farewell = "closing"});
  SocketClient client = test.connect();
  REQUIRE(client.status() == 101);

  std::jthread stopping([&] { test.server.server().stop(kPatience); });

  CHECK(client.text() == "closing");
  const auto frame = client.next();
  REQUIRE(frame);
  CHECK(frame->close_code() == 1001);
  client.send(Opcode::Close, "\x03\xe9");
  CHECK(client.raw.read_to_end());
}

TEST_CASE("a reader that leaves too much is closed with 1013 while another goes on",
          "[http][websocket]") {
  Echoing test;
  SocketClient slow = test.connect();
  REQUIRE(slow.status() == 101);
  const auto slow_socket = test.last();
  SocketClient fast = test.connect();
  REQUIRE(fast.status() == 101);
  const auto text = shared(std::string(16'384, 'x'));

  int sent = 0;
  while (sent < 100'000 && slow_socket->send(text)) {
    ++sent;
  }
  fast.say("hello");

  CHECK(sent >= 256);
  CHECK(sent < 100'000);
  CHECK(fast.text() == "echo hello");
  std::optional<test::ServerFrame> frame;
  int read = 0;
  while ((frame = slow.next()) && frame->opcode == Opcode::Text) {
    ++read;
  }
  REQUIRE(frame);
  CHECK(read < sent);
  CHECK(frame->close_code() == 1013);
  CHECK(frame->payload.substr(2) == "slow consumer");
  CHECK(test.wait_closed(1));
}

TEST_CASE("above half of what may wait, states of one thing replace each other",
          "[http][websocket]") {
  WebSocket socket({}, {});
  const auto state = [&](std::uint64_t about, bool is_first, const std::string& text) {
    return socket.send_state(about, is_first, shared(text), shared("first " + text));
  };
  const auto waiting = [&] {
    std::string out;
    socket.take(out, std::size_t{1} << 20U);
    return out;
  };

  REQUIRE(state(1, true, "a"));
  REQUIRE(state(1, false, "b"));
  CHECK(waiting() ==
        "\x81\x01"
        "a\x81\x01"
        "b");
  REQUIRE(state(1, true, "c"));
  REQUIRE(state(2, false, "d"));
  for (int i = 0; i < 511; ++i) {
    REQUIRE(socket.send(shared("")));
  }
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(state(1, false, "e"));
    REQUIRE(state(2, false, "f"));
  }
  const std::string left = waiting();

  CHECK(left.find("c") == std::string::npos);
  CHECK(
      left.ends_with("\x81\x07"
                     "first e\x81\x01"
                     "f"));
  CHECK(left.size() == 511 * 2 + 9 + 3);
}

TEST_CASE("who asks for room is told when half of it is free", "[http][websocket]") {
  Echoing test;
  SocketClient client = test.connect();
  REQUIRE(client.status() == 101);
  const auto socket = test.last();

  for (int i = 0; i < 600; ++i) {
    REQUIRE(socket->send(shared(std::string(1024, 'x'))));
  }
  socket->ask_for_room();
  for (int i = 0; i < 600; ++i) {
    REQUIRE(client.next());
  }

  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (test.rooms == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  CHECK(test.rooms == 1);
}
