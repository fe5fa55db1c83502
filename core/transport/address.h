// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::transport {

/// An IPv4 or IPv6 address as octets. IPv4 uses the first four.
struct IpAddress {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> octets{};

  bool operator==(const IpAddress&) const = default;
};

/// A range of addresses in CIDR notation.
struct Network {
  IpAddress base = {};
  int bits = 0;

  bool operator==(const Network&) const = default;
};

/// Reads four decimal octets without leading zeros, or an IPv6 address (RFC 4291) without brackets
/// and zone. Short, octal, hexadecimal and integer spellings of IPv4 are no addresses here.
std::optional<IpAddress> parse_ip(std::string_view text);

/// Reads `ADDRESS/BITS`, or a single address. Failure: InvalidArgument.
Result<Network> parse_network(std::string_view text);

/// The usual text of an address (RFC 5952), without brackets.
std::string to_text(const IpAddress& address);

/// Whether `network` holds `address`. An IPv4-mapped IPv6 address counts as its IPv4 address.
bool contains(const Network& network, const IpAddress& address);

/// Whether the address is global unicast: a machine on the public internet. Loopback, private,
/// link-local, unique local, carrier-grade NAT, multicast, reserved, documentation and benchmark
/// ranges are not, nor their IPv4-mapped, NAT64 and 6to4 forms (IANA special-purpose registries,
/// RFC 6890 and updates).
bool is_global(const IpAddress& address);

}  // namespace edge::transport
