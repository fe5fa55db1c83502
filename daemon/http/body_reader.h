// SPDX-License-Identifier: MIT
// Takes a request body out of octets that arrive in pieces: by length, or chunked (RFC 9112
// section 7.1 narrowed by identity spec 6.1: sizes of at most 16 hexadecimal digits, extensions of
// at most 256 octets that are ignored, CR LF everywhere, at most 32 trailer fields in 8 KiB, which
// are checked and dropped).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/http/request_parser.h"

namespace edge::http {

/// One thread only.
class BodyReader {
 public:
  enum class State : std::uint8_t { NeedsMore, Complete, Refused };

  /// Starts a body that may have `limit` octets; 413 beyond. With `drop` nothing is kept.
  void start(const Framing& framing, std::uint64_t limit, bool drop);
  /// Takes octets off the front of `bytes` (sets it to what is left) and appends content to `out`.
  State feed(std::string_view& bytes, std::string& out);
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  /// Octets of content so far.
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  enum class Part : std::uint8_t { Size, Data, DataEnd, Trailer };

  State refuse(int status, std::string_view code, std::string_view detail);
  State feed_length(std::string_view& bytes, std::string& out);
  State feed_size(char octet);
  State end_size();
  State feed_trailer(char octet);
  State end_trailer_line();
  void take(std::string_view& bytes, std::string& out);

  Part part_ = Part::Size;
  bool chunked_ = false;
  bool drop_ = false;
  bool in_extension_ = false;
  bool after_cr_ = false;
  bool has_colon_ = false;
  std::uint8_t digits_ = 0;
  std::uint16_t extension_ = 0;  // octets of the chunk's extension
  std::uint16_t trailer_lines_ = 0;
  std::uint32_t trailer_octets_ = 0;
  std::uint32_t line_octets_ = 0;  // of the trailer line
  std::uint64_t limit_ = 0;
  std::uint64_t left_ = 0;  // octets of this chunk, or of the whole body, still to come
  std::uint64_t received_ = 0;
  Refusal refusal_;
};

}  // namespace edge::http
