// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "daemon/http/exchange.h"

namespace edge::http {

/// A request that stands in the body of another one.
struct InnerRequest {
  std::string method = "GET";
  std::string target = {};  ///< path and query
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};
};

/// What came of it; views that are good during the call.
struct InnerAnswer {
  int status = 0;
  std::string_view request_id = {};
  std::string_view type = {};
  std::string_view body = {};
};

/// Sends a request through all stages as if it had come on the connection of `outer`, with its own
/// fields only; those about length, coding and connection are left out. A missing Host is the outer
/// one's. On the loop of `outer`, on which `done` is called later. An answer that would be a stream
/// is a refusal with status 400.
///
/// Failure: InvalidArgument when method, target or a field is none that HTTP knows.
Result<void> send_inner(const Exchange& outer,
                        InnerRequest request,
                        Random& random,
                        std::function<void(const InnerAnswer&)> done);

}  // namespace edge::http
