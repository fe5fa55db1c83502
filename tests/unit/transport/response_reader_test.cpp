// SPDX-License-Identifier: MIT
#include "core/transport/response_reader.h"

#include <catch2/catch.hpp>

namespace edge::transport {
namespace {

Result<IncomingResponse> read_in_pieces(std::string_view text, std::size_t piece) {
  ResponseReader reader(false, {.max_body_bytes = 20});
  while (!text.empty()) {
    const auto complete = reader.feed(text.substr(0, piece));
    if (!complete) {
      return Failure(complete.error());
    }
    if (*complete) {
      return reader.take();
    }
    text.remove_prefix(std::min(piece, text.size()));
  }
  return reader.finish().map([&] { return reader.take(); });
}

TEST_CASE("a response is the same however it is cut into pieces", "[transport]") {
  const std::string_view body = "hello world";
  const std::string_view texts[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n "
      "world\r\n0\r\nX: y\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\n\r\nhello world",
  };
  for (const std::string_view text : texts) {
    for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
      const auto response = read_in_pieces(text, piece);

      REQUIRE(response);
      CHECK(response->status == 200);
      CHECK(response->body == body);
    }
  }
}

TEST_CASE("what is no response is refused", "[transport]") {
  const std::string_view texts[] = {
      "HTTP/2 200 OK\r\n\r\n",
      "HTTP/1.1 2x0 OK\r\n\r\n",
      "HTTP/1.1 101 Switch\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd",
  };
  for (const std::string_view text : texts) {
    INFO(text);
    const auto response = read_in_pieces(text, 3);

    REQUIRE_FALSE(response);
    CHECK(response.error().reason == "bad_response");
  }
}

TEST_CASE("a response that ends early is a lost connection", "[transport]") {
  CHECK(read_in_pieces("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello", 4).error().reason ==
        "connection_lost");
  CHECK(read_in_pieces("HTTP/1.1 200", 4).error().reason == "connection_lost");
}

TEST_CASE("a longer body than asked for is refused or cut", "[transport]") {
  const std::string_view text =
      "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789";
  ResponseReader cutting(false, {.max_body_bytes = 20, .cut_body = true});

  CHECK(read_in_pieces(text, 7).error().code == ErrorCode::TooLarge);
  CHECK(*cutting.feed(text));
  CHECK_FALSE(cutting.keeps_alive());
  CHECK(cutting.take().body == "01234567890123456789");
}

}  // namespace
}  // namespace edge::transport
