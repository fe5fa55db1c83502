// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace edge::http {

/// The bounds of identity spec 6.2; the defaults are those of its table.
struct Limits {
  std::chrono::milliseconds head_time{10'000};       ///< from the first octet of a head to its end
  std::chrono::milliseconds first_octet{15'000};     ///< from accept to the first octet
  std::chrono::milliseconds handshake_time{10'000};  ///< of TLS, from accept
  std::chrono::milliseconds body_time_per_mib{30'000};
  std::chrono::milliseconds body_grace{5'000};  ///< after it the slowest rate counts
  std::uint64_t body_octets_per_second = 1024;
  std::chrono::milliseconds idle{15'000};
  std::uint32_t requests_per_connection = 1000;
  std::chrono::milliseconds write_stall{30'000};
  std::chrono::milliseconds ping_every{30'000};  ///< of WebSocket connections
  std::chrono::milliseconds linger{1'000};  ///< half-closed, so that the client can read the answer
  std::size_t connections = 4096;
  std::size_t connections_per_address = 256;
  std::size_t pool_queue = 1024;
  std::chrono::milliseconds drain{10'000};
};

/// While an answer is awaited, this much of further requests is read; then reading pauses.
inline constexpr std::size_t kMaxWaitingOctets = std::size_t{64} << 10U;
/// Reading pauses while more than this is unsent.
inline constexpr std::size_t kMaxUnsentOctets = std::size_t{64} << 10U;
/// A WebSocket that left so many pings in a row unanswered is closed when the next one is due.
inline constexpr std::uint32_t kMostMissedPongs = 2;
/// Bodies of refused requests are read and dropped up to this.
inline constexpr std::uint64_t kMaxDroppedOctets = std::uint64_t{64} << 10U;

}  // namespace edge::http
