// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/transport/address.h"

namespace edge::events {

/// How much of an address is stored.
enum class IpMode : std::uint8_t {
  Full,
  Truncate,  ///< IPv4 without its last octet, IPv6 without all but the first 48 bits
  None,
};

/// Reads an address as it stands in X-Forwarded-For and in events: a port behind it and brackets
/// around it are dropped, IPv4-mapped IPv6 becomes IPv4. Nothing when it is no address.
std::optional<transport::IpAddress> parse_address(std::string_view text);

/// `mode`, or less when a request asks for it by X-IP-Policy: `truncate` or `stripLastOctet`,
/// `none` or `remove`.
IpMode tightened(IpMode mode, std::string_view policy);

/// The text of the address in what `mode` leaves of it. Nothing for `None` and for texts that are
/// no address.
std::optional<std::string> anonymise(std::string_view address, IpMode mode);

}  // namespace edge::events
