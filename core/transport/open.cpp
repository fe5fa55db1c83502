// SPDX-License-Identifier: MIT
#include "core/transport/open.h"

#include <utility>

#include "core/transport/poco/http_client.h"

namespace edge::transport {

std::unique_ptr<HttpClient> open_client(GuardRules rules, const Clock& clock) {
  return std::make_unique<PocoHttpClient>(std::move(rules), clock);
}

}  // namespace edge::transport
