// SPDX-License-Identifier: MIT
// The Cloudflare REST API, version 4, at /client/v4 (platform spec 0.3): what has no route gets its
// envelope too.
#include "daemon/protocols/v4/envelope.h"
#include "daemon/routes.h"

namespace edge::protocols {

void cloudflare(Mount& mount) {
  mount.claim(Surface::V4, {std::string(v4::kPrefix)}, v4::print_problem);
}

}  // namespace edge::protocols
