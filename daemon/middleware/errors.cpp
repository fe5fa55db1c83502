// SPDX-License-Identifier: MIT
// Stage 4 on the way out: a problem becomes a body in the form of the surface (identity spec 4.5).
#include "daemon/http/response.h"
#include "daemon/middleware.h"

namespace edge::middleware {

void errors(Chain& chain) {
  chain.on_answer(
      Stage::Errors,
      [&router = chain.router](
          http::Request& request, const http::Route* route, http::Response& response) {
        const http::Problem* problem = response.problem();
        if (problem == nullptr) {
          return;
        }
        const http::Route* owner = route != nullptr ? route : request.parts().path_route;
        const http::Surface surface =
            owner != nullptr ? owner->options.surface : router.surface_of(request.path());
        router.printer_of(surface)(request, *problem, response);
        if (problem->retry_after > 0) {
          response.set("Retry-After", std::to_string(problem->retry_after));
        }
        if (problem->status == 401 && surface == http::Surface::Seed) {
          const bool is_token =
              problem->code == "invalid_token" || problem->code == "token_expired";
          response.fixed_fields(
              is_token ? "WWW-Authenticate: Bearer realm=\"edge\", error=\"invalid_token\"\r\n"
                       : "WWW-Authenticate: Bearer realm=\"edge\"\r\n");
        }
      });
}

}  // namespace edge::middleware
