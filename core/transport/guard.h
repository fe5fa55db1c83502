// SPDX-License-Identifier: MIT
// The outbound guard: which machines the program may talk to on behalf of what somebody configured
// (identity spec 6.6).
//
// A URL of a webhook is input. Without a guard it reaches services of the own network that trust
// whoever can connect. So the URL is read strictly, the name is resolved first, every address it
// has must be public, and the connection goes to exactly the address that was checked (asking the
// resolver again could give another answer).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/transport/address.h"

namespace edge::transport {

/// What the installation allows beyond https to public addresses (`[outbound]` of the
/// configuration).
struct GuardRules {
  bool allow_http = false;
  std::vector<Network> allow_private = {};

  /// For a URL that the user of the command line typed: any address, http too.
  static GuardRules trusted();
  /// Lets loopback be reached, by http too (demo mode).
  void add_loopback();
};

/// A URL taken apart.
struct Target {
  bool tls = true;
  std::string host = {};  ///< lower case, without brackets
  std::uint16_t port = 443;
  std::string path = {};                  ///< path and query, starts with `/`
  std::optional<IpAddress> literal = {};  ///< the host is an address itself
  [[nodiscard]] std::string authority()
      const;  ///< for the Host field: brackets when needed, port unless the default
};

/// Reads a URL strictly. Failures: InvalidArgument when it is no http(s) URL in ASCII without white
/// space; PermissionDenied (reason `egress_denied`) when the rules forbid it before any look-up:
/// plain http, user information, odd spellings of IPv4, `localhost` while loopback is not allowed.
Result<Target> parse_target(std::string_view url, const GuardRules& rules);

/// The first of the addresses, when every one of them may be reached; `target.literal` counts as
/// the only one. Failure: PermissionDenied (reason `egress_denied`).
Result<IpAddress> checked_address(const Target& target,
                                  std::span<const IpAddress> resolved,
                                  const GuardRules& rules);

}  // namespace edge::transport
