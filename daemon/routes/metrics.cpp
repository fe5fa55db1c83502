// SPDX-License-Identifier: MIT
// GET /metrics: everything counted, as Prometheus text (platform spec 8).
#include "core/edge.h"
#include "daemon/routes.h"

namespace edge::routes {

void metrics(Mount& mount) {
  const http::Needs needs = mount.edge.is_loopback() ? Public : http::Needs("stats:read");
  mount.get("/metrics",
            {.needs = needs, .runs = Runs::OnPool},
            [&registry = mount.metrics](const http::Request&) {
              http::Response response;
              response.type("text/plain; version=0.0.4; charset=utf-8").body(registry.text());
              return response;
            });
}

}  // namespace edge::routes
