// SPDX-License-Identifier: MIT
#include "daemon/http/websocket_frames.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/unit/http/socket_client.h"

using namespace edge;
using http::FrameReader;
using http::Opcode;
using test::client_frame;

namespace {

struct Read {
  std::vector<std::string> said;
  std::uint16_t refused = 0;
};

Read read(std::string_view octets, std::size_t step) {
  FrameReader reader;
  Read out;
  while (!octets.empty()) {
    std::string_view piece = octets.substr(0, step);
    octets.remove_prefix(piece.size());
    while (!piece.empty()) {
      switch (reader.feed(piece)) {
        case FrameReader::State::NeedsMore:
          break;
        case FrameReader::State::Refused:
          out.refused = reader.close_code();
          return out;
        case FrameReader::State::Complete:
          out.said.push_back(std::to_string(static_cast<int>(reader.kind())) + " " +
                             std::string(reader.payload()));
          if (reader.kind() == Opcode::Close) {
            out.said.back() += " " + std::to_string(reader.close_code());
          }
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("messages come whole, whatever the pieces, with control frames between fragments",
          "[http][websocket]") {
  const std::string octets =
      client_frame(Opcode::Text, "h\xc3", false) + client_frame(Opcode::Ping, "now") +
      client_frame(Opcode::Continuation, "\xa9llo") +
      client_frame(Opcode::Binary, std::string(70'000, '\x80')) + client_frame(Opcode::Text, "") +
      client_frame(Opcode::Pong, "") + client_frame(Opcode::Close, "\x0f\xa1good bye");
  const std::vector<std::string> expected{"9 now",
                                          "1 h\xc3\xa9llo",
                                          "2 " + std::string(70'000, '\x80'),
                                          "1 ",
                                          "10 ",
                                          "8 good bye 4001"};

  const auto step = GENERATE(1U, 3U, 1000U, 1'000'000U);

  const Read got = read(octets, step);
  CHECK(got.said == expected);
  CHECK(got.refused == 0);
}

TEST_CASE("what breaks the rules of frames is refused with the code of its kind",
          "[http][websocket]") {
  const auto raw = [](std::vector<unsigned> octets) {
    std::string out;
    for (const unsigned octet : octets) {
      out.push_back(static_cast<char>(octet));
    }
    return out;
  };
  const auto changed = [](std::string frame, std::size_t place, unsigned octet) {
    frame[place] = static_cast<char>(octet);
    return frame;
  };
  const auto [octets, code] = GENERATE_COPY(table<std::string, int>({
      {raw({0x81, 0x02, 'h', 'i'}), 1002},                         // not masked
      {changed(client_frame(Opcode::Text, "hi"), 0, 0xC1), 1002},  // a reserved bit
      {changed(client_frame(Opcode::Text, "hi"), 0, 0x83), 1002},  // opcode 3
      {changed(client_frame(Opcode::Ping, "hi"), 0, 0x8B), 1002},  // opcode 11
      {client_frame(Opcode::Ping, "hi", false), 1002},             // in fragments
      {client_frame(Opcode::Ping, std::string(126, 'x')), 1002},   // too long
      {client_frame(Opcode::Continuation, "hi"), 1002},            // of nothing
      {client_frame(Opcode::Text, "a", false) + client_frame(Opcode::Text, "b"), 1002},
      {raw({0x81, 0xFE, 0, 125, 0, 0, 0, 0}), 1002},                        // 16 bits for 125
      {raw({0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0}), 1002},  // 64 for 65535
      {raw({0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), 1002},     // above 63 bits
      {raw({0x81, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0}), 1009},     // 1 MiB + 1
      {client_frame(Opcode::Text, std::string(1U << 20U, 'x'), false) +
           client_frame(Opcode::Continuation, "x"),
       1009},
      {client_frame(Opcode::Text, "\xc3"), 1007},
      {client_frame(Opcode::Text, "\xed\xa0\x80"), 1007},  // a surrogate
      {client_frame(Opcode::Close, "\x03"), 1002},
      {client_frame(Opcode::Close, "\x03\xed"), 1002},  // 1005 is never sent
      {client_frame(Opcode::Close, "\x03\xe8\xff"), 1007},
  }));

  CHECK(read(octets, 1'000'000).refused == code);
  CHECK(read(octets, 7).refused == code);
}

TEST_CASE("a message may have 1 MiB, and a close frame may be empty", "[http][websocket]") {
  const Read got = read(
      client_frame(Opcode::Text, std::string(1U << 20U, 'x')) + client_frame(Opcode::Close, ""),
      4096);

  CHECK(got.refused == 0);
  REQUIRE(got.said.size() == 2);
  CHECK(got.said[0].size() == 2 + (1U << 20U));
  CHECK(got.said[1] == "8  1005");
}

TEST_CASE("frames that are written have the shortest head; reasons are cut at a character",
          "[http][websocket]") {
  std::string small;
  std::string medium;
  std::string large;
  std::string closing;

  http::append_frame(small, Opcode::Text, std::string(125, 'x'));
  http::append_frame(medium, Opcode::Text, std::string(126, 'x'));
  http::append_frame(large, Opcode::Text, std::string(65'536, 'x'));
  http::append_close_frame(closing, 1013, std::string(122, 'x') + "\xc3\xa9");

  CHECK(small.substr(0, 3) == "\x81\x7dx");
  CHECK(medium.substr(0, 4) == std::string("\x81\x7e\x00\x7e", 4));
  CHECK(large.substr(0, 10) == std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
  CHECK(closing.substr(0, 5) == "\x88\x7c\x03\xf5x");
  CHECK(closing.size() == 2 + 124);
}
