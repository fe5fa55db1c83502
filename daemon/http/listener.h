// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "daemon/http/address.h"

namespace edge::http {

/// A place to listen at: `127.0.0.1:9100`, `[::1]:0`, `localhost:9100`, `unix:/run/edged.sock`.
/// Port 0 = any free one.
struct Endpoint {
  Address address = {};
  std::uint16_t port = 0;
  std::string path = {};  ///< of a Unix socket; then the others mean nothing

  /// Failure: InvalidArgument naming the text.
  static Result<Endpoint> parse(std::string_view text);
  /// `127.0.0.1:9100`, `[::1]:9100`, `unix:/run/edged.sock`.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_unix() const { return !path.empty(); }
};

/// A listening socket, non-blocking. One thread only.
///
/// A Unix socket gets mode 0660 in a directory that is made with 0750 when it is missing; one that
/// a daemon left behind is replaced, and it is removed at the end. Its clients count as this
/// machine's.
class Listener {
 public:
  /// Failure: Unavailable with reason `address_in_use`, `address_not_available` or `not_permitted`.
  static Result<Listener> open(const Endpoint& endpoint);

  ~Listener();
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The next waiting connection, non-blocking and without delay of small writes; -1 when there is
  /// none now. Sets `peer`.
  int accept(Address& peer) const;
  /// True when `accept` failed because there are no descriptors left.
  [[nodiscard]] static bool is_exhausted();
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Where it listens, with the real port.
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

 private:
  Listener(int descriptor, Endpoint endpoint)
      : descriptor_(descriptor), endpoint_(std::move(endpoint)) {}
  static Result<Listener> open_tcp(const Endpoint& endpoint);
  static Result<Listener> open_unix(const Endpoint& endpoint);
  int descriptor_;
  Endpoint endpoint_;
};

}  // namespace edge::http
