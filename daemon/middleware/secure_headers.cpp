// SPDX-License-Identifier: MIT
// Stage 5: the secure headers of identity spec 4.2, as whole blocks that are never built at run
// time.
#include <array>
#include <string_view>

#include "daemon/middleware.h"

namespace edge::middleware {
namespace {

constexpr std::string_view kSameOrigin =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Origin-Agent-Cluster: ?1\r\n"
    "X-DNS-Prefetch-Control: off\r\n"
    "X-Download-Options: noopen\r\n"
    "X-Permitted-Cross-Domain-Policies: none\r\n"
    "X-XSS-Protection: 0\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
constexpr std::string_view kCrossOrigin =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: SAMEORIGIN\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Origin-Agent-Cluster: ?1\r\n"
    "X-DNS-Prefetch-Control: off\r\n"
    "X-Download-Options: noopen\r\n"
    "X-Permitted-Cross-Domain-Policies: none\r\n"
    "X-XSS-Protection: 0\r\n"
    "Cross-Origin-Resource-Policy: cross-origin\r\n";
constexpr std::string_view kPolicy =
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
constexpr std::string_view kHttpsOnly =
    "Strict-Transport-Security: max-age=15552000; includeSubDomains\r\n";

}  // namespace

void secure_headers(Chain& chain) {
  chain.on_answer(Stage::SecureHeaders,
                  [](http::Request& request, const http::Route* route, http::Response& response) {
                    const bool for_others =
                        response.is_for_other_origins() ||
                        (route != nullptr && route->options.cors == http::Cors::Anyone);
                    response.fixed_fields(for_others ? kCrossOrigin : kSameOrigin);
                    if (!response.has_own_policy()) {
                      response.fixed_fields(kPolicy);
                    }
                    if (request.is_https()) {
                      response.fixed_fields(kHttpsOnly);
                    }
                  });
}

}  // namespace edge::middleware
