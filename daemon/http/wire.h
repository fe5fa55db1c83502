// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/http/tls.h"

namespace edge::http {

/// Moves octets between a connection and its non-blocking socket, as they are or through TLS. Owns
/// the socket. One thread only.
///
/// The handshake of TLS happens inside `read`: until it is over, `is_ready` is false and `read`
/// gives `Blocked`.
class Wire {
 public:
  enum class State : std::uint8_t {
    Moved,
    Blocked,  ///< nothing can be moved now
    Ended,    ///< the other side sends no more (read), or takes no more
    Broken,
  };
  struct Outcome {
    State state = State::Broken;
    std::size_t octets = 0;
  };

  /// Without `session` octets travel as they are.
  Wire(int descriptor, TlsSession session)
      : descriptor_(descriptor), session_(std::move(session)) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  Wire(Wire&&) = delete;
  Wire& operator=(Wire&&) = delete;

  Outcome read(std::span<char> buffer);
  /// Writes what the socket takes of `octets`, which are not empty.
  Outcome write(std::string_view octets);
  /// Says that no more octets follow.
  void end_writing();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_secure() const { return session_ != nullptr; }
  [[nodiscard]] bool is_ready() const;
  /// Octets wait that the kernel knows nothing of: read again.
  [[nodiscard]] bool has_buffered() const;
  /// The last read can go on only when the socket takes octets.
  [[nodiscard]] bool read_waits_for_room() const { return read_waits_for_room_; }

 private:
  Outcome read_secure(std::span<char> buffer);
  Outcome write_secure(std::string_view octets);

  const int descriptor_;
  TlsSession session_;
  bool read_waits_for_room_ = false;
};

}  // namespace edge::http
