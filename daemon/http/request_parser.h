// SPDX-License-Identifier: MIT
// Reads the head of an HTTP/1.1 request from octets that arrive in pieces (grammar and limits:
// identity spec 6.1, which narrows RFC 9112).
//
// It goes line by line: each time it is called it looks for the next LF behind what it has seen,
// checks the whole line and remembers where names and values stand as offsets. Nothing is copied
// until the head is complete; then `fill` copies the head once into the request and turns the
// offsets into views. A line that is already too long, or a first octet that cannot begin a method
// (TLS, binary), is refused without waiting for its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/http/request.h"

namespace edge::http {

inline constexpr std::size_t kMaxTargetOctets = 8192;
inline constexpr std::size_t kMaxLineOctets = std::size_t{16} << 10U;
inline constexpr std::size_t kMaxHeadOctets = std::size_t{32} << 10U;
inline constexpr std::size_t kMaxNameOctets = 256;
inline constexpr std::size_t kMaxFields = 100;

/// Why a request is refused before any route sees it; texts live forever.
struct Refusal {
  int status = 400;
  std::string_view code = "bad_request";
  std::string_view detail = {};
};

/// How long the body is and how it comes.
struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;  ///< 0 when chunked
  [[nodiscard]] bool has_body() const { return chunked || length > 0; }
};

/// One thread only. Reused for the next request after `reset`.
class HeadParser {
 public:
  enum class State : std::uint8_t { NeedsMore, Complete, Refused };

  /// `bytes` begins with the first octet of the request; between calls it may move and grow at its
  /// end only.
  State parse(std::string_view bytes);
  /// Octets that belong to the head, with the empty line; after `Complete`.
  [[nodiscard]] std::size_t size() const { return position_; }
  [[nodiscard]] const Framing& framing() const { return framing_; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  /// `Expect: 100-continue` was sent.
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  /// Some other expectation was sent.
  [[nodiscard]] bool expects_unknown() const { return expects_unknown_; }
  /// True when the client may send another request after this one.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  /// Copies the head into `parts` and sets method, target, host and fields; after `Complete`.
  void fill(std::string_view bytes, RequestParts& parts) const;
  void reset();

 private:
  struct Span {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct FieldSpan {
    Span name;
    Span value;
  };

  State refuse(int status, std::string_view code, std::string_view detail);
  State read_request_line(std::string_view line, std::size_t offset);
  State read_target(std::string_view target, std::size_t offset);
  State read_field(std::string_view line, std::size_t offset);
  State know_field(std::string_view name, std::string_view value, Span place);
  State read_length(std::string_view value);
  State read_coding(std::string_view value);
  State finish();
  State check_partial(std::string_view rest);

  std::size_t position_ = 0;  // octets of complete lines
  std::size_t scanned_ = 0;   // octets searched for LF
  bool skipped_empty_ = false;
  bool has_request_line_ = false;
  bool http10_ = false;
  bool keep_alive_ = true;
  bool expects_continue_ = false;
  bool expects_unknown_ = false;
  bool has_length_ = false;
  bool absolute_ = false;
  std::uint32_t hosts_ = 0;
  Method method_ = Method::Get;
  Span target_;
  Span authority_;
  std::vector<FieldSpan> fields_;
  Framing framing_;
  Refusal refusal_;
};

/// True for `uri-host [":" port]` (RFC 3986); `host` gets it without port and brackets.
bool split_authority(std::string_view authority, std::string_view& host);

}  // namespace edge::http
