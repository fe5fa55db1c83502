// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::http {

/// An IPv4 or IPv6 address; IPv4-mapped IPv6 is IPv4. A value.
class Address {
 public:
  /// Reads a literal in its usual form: no brackets, no port, no octal. Nothing otherwise.
  static std::optional<Address> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_v4() const;
  /// What limits count by: the octets of an IPv4 address, the first 64 bits of an IPv6 one.
  [[nodiscard]] std::string limit_key() const;
  /// The first 64 bits of an IPv6 address as a network, `2001:db8:1:2::/64`.
  [[nodiscard]] std::string network_text() const;
  bool operator==(const Address&) const = default;

 private:
  friend class Network;
  std::array<std::uint8_t, 16> octets_{};  // IPv4 in its mapped form
};

/// A block of addresses, `10.0.0.0/8`. A value.
class Network {
 public:
  /// Failure: InvalidArgument naming the text.
  static Result<Network> parse(std::string_view text);
  [[nodiscard]] bool holds(const Address& address) const;

 private:
  Address base_;
  unsigned bits_ = 128;  // of the mapped form
};

}  // namespace edge::http
