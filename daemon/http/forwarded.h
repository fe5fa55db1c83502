// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "daemon/http/address.h"

namespace edge::http {

class Request;

/// Who sends a request: the peer, or what trusted proxies say (identity spec 6.4).
struct Origin {
  Address client;
  bool https = false;
  bool forwarded = false;  ///< some forwarding field is there, trusted or not
};

/// `header` is the one field that is honoured, usually `X-Forwarded-For`.
Origin origin_of(const Request& request,
                 const Address& peer,
                 const std::vector<Network>& trusted,
                 std::string_view header);

}  // namespace edge::http
