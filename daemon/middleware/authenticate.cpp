// SPDX-License-Identifier: MIT
// Stage 10: who sends the request (identity spec 3.5, 3.6). Surfaces with credentials of their own
// kind look at them in their handlers and declare their routes public.
#include <algorithm>

#include "daemon/http/upgrade.h"
#include "daemon/local_key.h"
#include "daemon/middleware.h"
#include "daemon/server_config.h"

namespace edge::middleware {
namespace {

constexpr std::string_view kApiKeyPrefix = "edk_";

constexpr std::string_view kBearerProtocol = "bearer.";
constexpr std::string_view kTokenValue = "token=";

/// The token of a request that a browser makes without fields of its own, from the first place that
/// has one. What is not as it came (percent sequences) is no token.
void read_stream_token(const http::Request& request, http::Credentials& credentials) {
  for (const std::string_view protocol : http::offered_protocols(request)) {
    if (protocol.starts_with(kBearerProtocol)) {
      credentials.bearer = protocol.substr(kBearerProtocol.size());
      return;
    }
  }
  std::string_view rest = request.query();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    if (rest.starts_with(kTokenValue)) {
      credentials.bearer = rest.substr(kTokenValue.size(), end - kTokenValue.size());
      credentials.must_be_short_lived = true;
      return;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

/// The credentials of a request; a failure when there are too many.
Result<http::Credentials> read_credentials(const http::Request& request,
                                           const http::RouteOptions& options) {
  const auto authorization = request.header("Authorization");
  const auto api_key = request.header("X-API-Key");
  if (request.count_header("Authorization") > 1 || request.count_header("X-API-Key") > 1 ||
      (authorization && api_key)) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "more than one kind of credentials",
                    .reason = "ambiguous_credentials"});
  }
  http::Credentials credentials{.api_key = api_key.value_or(std::string_view{})};
  const std::string_view token = bearer_of(authorization.value_or(std::string_view{}));
  if (!token.empty()) {
    const bool is_key = options.surface == http::Surface::V4 && token.starts_with(kApiKeyPrefix);
    (is_key ? credentials.api_key : credentials.bearer) = token;
  }
  if (options.opens_stream && !authorization && !api_key) {
    read_stream_token(request, credentials);
  }
  return credentials;
}

Result<http::Principal> identify(const http::Request& request,
                                 const http::Credentials& credentials,
                                 const ServerConfig& config) {
  if (credentials.bearer.empty() && credentials.api_key.empty()) {
    return Failure({ErrorCode::Unauthenticated, "credentials are missing"});
  }
  if (credentials.bearer.starts_with(kLocalKeyPrefix)) {
    if (!credentials.must_be_short_lived && is_local_key(request, credentials.bearer, config)) {
      return http::Principal{.kind = http::Principal::Kind::LocalKey,
                             .id = "local",
                             .roles = {"admin"},
                             .permissions = {"*"}};
    }
    return Failure({ErrorCode::Unauthenticated, "the local key is not valid", {}, "invalid_token"});
  }
  if (config.authenticator == nullptr) {
    return Failure(
        {ErrorCode::Unauthenticated, "the credentials are not valid", {}, "invalid_token"});
  }
  return config.authenticator->authenticate(credentials);
}

/// What the client is told: only that the token is not good; the log gets the exact code (identity
/// spec 2.4). The v4 surface knows no 401 (platform spec 0.2).
http::Problem refusal(const Error& error, http::Surface surface) {
  http::Problem problem = http::problem_of(error);
  if (error.code != ErrorCode::Unauthenticated) {
    return problem;
  }
  problem.status = surface == http::Surface::V4 ? 403 : problem.status;
  problem.log_code = problem.code;
  problem.detail.clear();
  if (problem.code == "unauthenticated") {
    problem.error = "Authorization token required";
    return problem;
  }
  const bool expired = problem.code == "token_expired";
  problem.code = expired ? "token_expired" : "invalid_token";
  problem.error = expired ? "Token expired" : "Invalid token";
  return problem;
}

}  // namespace

void authenticate(Chain& chain) {
  chain.add(Stage::Authenticate,
            [&config = chain.config](http::Exchange exchange, const Next& next) {
              const http::RouteOptions& options = exchange.state()->route->options;
              const bool is_ours =
                  options.surface == http::Surface::Seed || options.surface == http::Surface::V4;
              if (!options.authenticates || (options.needs.is_public() && !is_ours)) {
                next(std::move(exchange));
                return;
              }
              http::Request& request = exchange.request();
              const auto credentials = read_credentials(request, options);
              if (!credentials) {
                exchange.fail(credentials.error());
                return;
              }
              auto principal = identify(request, *credentials, config);
              if (principal) {
                request.parts().principal = *std::move(principal);
              } else if (!options.needs.is_public()) {
                exchange.fail(refusal(principal.error(), options.surface));
                return;
              }
              next(std::move(exchange));
            });
}

}  // namespace edge::middleware
