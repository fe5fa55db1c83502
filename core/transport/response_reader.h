// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/transport/http_client.h"

namespace edge::transport {

/// Reads one HTTP/1.x response (RFC 9112) from octets as they arrive, in pieces of any size.
/// Interim responses (1xx) are skipped. The head may be 64 KiB long. Anything that is not plainly a
/// response is an error, because what a server says decides whether an event is sent again. One
/// thread only.
///
/// Failures: Unavailable (reason `bad_response`), TooLarge (the body, unless it is to be cut).
class ResponseReader {
 public:
  struct Limits {
    std::size_t max_body_bytes = std::size_t{1} << 20U;
    bool cut_body = false;  ///< a longer body is cut off and the response is complete (the
                            ///< connection is not reusable)
  };
  ResponseReader(bool head_request, Limits limits) : head_request_(head_request), limits_(limits) {}

  /// Takes what arrived; true when the response is complete.
  Result<bool> feed(std::string_view octets);
  /// The server closed the connection: ends a body that has no length of its own.
  Result<void> finish();

  /// Whether the connection can carry another request.
  [[nodiscard]] bool keeps_alive() const {
    return keep_alive_ && state_ == State::Done && buffer_.empty();
  }
  /// Whether any octet of the response came.
  [[nodiscard]] bool started() const { return started_; }
  /// The complete response; call once.
  IncomingResponse take() { return std::move(response_); }

 private:
  enum class State : std::uint8_t {
    Head,
    Sized,
    UntilClose,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailer,
    Done
  };

  Result<bool> step();
  Result<bool> read_head();
  Result<void> read_status_line(std::string_view line);
  Result<void> read_field(std::string_view line);
  Result<void> choose_body();
  Result<bool> read_chunk_size();
  Result<bool> read_chunk_end();
  Result<bool> read_trailer();
  Result<bool> read_body_octets();
  /// The next line without its end, or nothing while it is incomplete.
  [[nodiscard]] std::size_t line_end() const { return buffer_.find("\r\n"); }

  bool head_request_;
  Limits limits_;
  State state_ = State::Head;
  bool started_ = false;
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool has_length_ = false;
  std::uint64_t remaining_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string buffer_;
  IncomingResponse response_;
};

}  // namespace edge::transport
