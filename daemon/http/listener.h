// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "daemon/http/address.h"

namespace edge::http {

/// A place to listen at: `127.0.0.1:9100`, `[::1]:0`, `localhost:9100`. Port 0 = any free one.
struct Endpoint {
  Address address = {};
  std::uint16_t port = 0;

  /// Failure: InvalidArgument naming the text.
  static Result<Endpoint> parse(std::string_view text);
  /// `127.0.0.1:9100`, `[::1]:9100`.
  [[nodiscard]] std::string text() const;
};

/// A listening TCP socket, non-blocking. One thread only.
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
  Listener(int descriptor, const Endpoint& endpoint)
      : descriptor_(descriptor), endpoint_(endpoint) {}
  int descriptor_;
  Endpoint endpoint_;
};

}  // namespace edge::http
