// SPDX-License-Identifier: MIT
// GET /.well-known/jwks.json and /auth/jwks: what access tokens of this installation are verified
// with (identity spec 2.6).
#include <utility>

#include "core/edge.h"
#include "daemon/http/validators.h"
#include "daemon/routes.h"

namespace edge::routes {

void well_known(Mount& mount) {
  for (const char* path : {"/.well-known/jwks.json", "/auth/jwks"}) {
    mount.get(path, {.needs = Public}, [&edge = mount.edge](const http::Request& request) {
      http::Response response =
          http::json(tokens::public_jwks(edge.login.issuer()->keys().verifiers));
      response.set("Cache-Control", "public, max-age=300");
      return http::validated(request, std::move(response));
    });
  }
}

}  // namespace edge::routes
