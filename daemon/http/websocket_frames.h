// SPDX-License-Identifier: MIT
// Frames of WebSocket connections (RFC 6455 section 5), as a server sees them.
//
// The reader is incremental and strict: every frame of a client is masked, lengths are written in
// their shortest form, no reserved bit is set, control frames are whole and at most 125 octets,
// texts are UTF-8. It keeps a dozen octets between messages; a ready-made reader that carries a
// buffer of its own would double what an idle connection costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edge::http {

/// Longest message that is taken, all its fragments together.
inline constexpr std::size_t kMaxMessageOctets = std::size_t{1} << 20U;
/// Of a frame that is no part of a message.
inline constexpr std::size_t kMaxControlOctets = 125;

/// Why a connection ends. Those below 4000 are the protocol's (RFC 6455 section 7.4), the others
/// ours (platform spec 4.3).
namespace close_code {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kNoStatus = 1005;  ///< never sent: the close frame was empty
inline constexpr std::uint16_t kNotUtf8 = 1007;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kTryAgainLater = 1013;
inline constexpr std::uint16_t kBadFrame = 4400;
inline constexpr std::uint16_t kNotAuthenticated = 4401;
inline constexpr std::uint16_t kTimeout = 4408;
inline constexpr std::uint16_t kTooMany = 4429;
}  // namespace close_code

enum class Opcode : std::uint8_t {
  Continuation = 0x0,
  Text = 0x1,
  Binary = 0x2,
  Close = 0x8,
  Ping = 0x9,
  Pong = 0xA,
};

/// Puts the octets of a client together to messages and control frames. One thread only.
class FrameReader {
 public:
  enum class State : std::uint8_t {
    NeedsMore,  ///< all octets are taken
    Complete,   ///< a message or a control frame is there; feed again for the next
    Refused,    ///< the connection must be closed with `close_code()`
  };

  /// Takes octets from the front of `bytes`.
  State feed(std::string_view& bytes);

  /// Of what is complete: `Text`, `Binary`, `Close`, `Ping` or `Pong`.
  [[nodiscard]] Opcode kind() const { return kind_; }
  /// Its octets, unmasked; of a `Close` only the reason. Valid until the next `feed`.
  [[nodiscard]] std::string_view payload() const { return is_control(kind_) ? control_ : message_; }
  /// After a `Close`: what the client gave, `kNoStatus` when nothing. After a refusal: what to
  /// close with.
  [[nodiscard]] std::uint16_t close_code() const { return code_; }

 private:
  static bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 0x8; }
  State refuse(std::uint16_t code);
  bool gather_head(std::string_view& bytes);
  State begin_frame();
  State take_payload(std::string_view& bytes);
  State end_frame();
  State end_close();

  std::array<std::uint8_t, 14> head_{};
  std::uint8_t head_size_ = 0;  // octets of the head that are there
  bool in_payload_ = false;
  bool is_final_ = false;
  bool in_message_ = false;  // a fragment has come, its end has not
  bool is_refused_ = false;
  Opcode opcode_ = Opcode::Continuation;
  Opcode message_kind_ = Opcode::Text;
  Opcode kind_ = Opcode::Text;
  std::uint16_t code_ = 0;
  std::array<std::uint8_t, 4> mask_{};
  std::uint64_t left_ = 0;   // octets of the frame's payload still to come
  std::uint64_t place_ = 0;  // octets of it that came
  std::string message_;
  std::string control_;
};

/// Appends the head of an unmasked final frame with that many octets of payload.
void append_frame_head(std::string& out, Opcode opcode, std::size_t octets);
/// Appends a whole frame.
void append_frame(std::string& out, Opcode opcode, std::string_view payload);
/// Appends a close frame; a reason that does not fit is cut at a character.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

/// Whether a close frame may carry this code.
bool is_sendable_code(std::uint16_t code);

}  // namespace edge::http
