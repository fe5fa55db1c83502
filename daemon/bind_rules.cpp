// SPDX-License-Identifier: MIT
#include "daemon/bind_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/edge.h"
#include "core/tokens/signing_source.h"
#include "daemon/server_config.h"

namespace edge {
namespace {

bool has_administrator(const Edge& edge) {
  const auto all = edge.login.accounts.list();
  return all && std::ranges::any_of(*all, [](const accounts::Account& account) {
           return !account.disabled && std::ranges::count(account.roles, "admin") > 0;
         });
}

bool has_api_key(const Edge& edge) {
  const auto all = edge.api_keys.list();
  return all && std::ranges::any_of(*all, [&](const accounts::ApiKey& key) {
           return !key.revoked && (!key.expires || *key.expires > edge.clock.now());
         });
}

/// True when all that listens beyond this machine speaks TLS.
bool is_encrypted(const config::Config& config) {
  const auto server = read_server_config(config);
  return server && std::ranges::all_of(server->listeners, [](const ListenerConfig& listener) {
           return listener.tls || listener.endpoint.is_unix() ||
                  listener.endpoint.address.is_loopback();
         });
}

}  // namespace

Result<void> check_bind(Edge& edge, const BindConsent& consent) {
  if (edge.is_loopback()) {
    return {};
  }
  std::vector<std::string> reasons;
  if (edge.config.auth.mode != "enforced") {
    reasons.emplace_back("auth.mode is not enforced");
  }
  const auto keys = tokens::load_signing_keys(
      edge.secrets, {.ring = edge.config.data_dir / "keys" / "jwt.json"}, edge.clock);
  if (!keys) {
    reasons.push_back(keys.error().message);
  }
  if (!has_administrator(edge) && !has_api_key(edge)) {
    reasons.emplace_back(
        "there is no administrator and no API key (edgectl user create --role admin)");
  }
  const bool proxied = consent.behind_proxy && !edge.config.server.trusted_proxies.empty();
  if (!proxied && !consent.insecure_http && !is_encrypted(edge.config)) {
    reasons.emplace_back(
        "there is neither server.tls.certificate nor --behind-proxy with server.trusted_proxies "
        "nor --insecure-http");
  }
  if (edge.config.server.public_url.empty()) {
    reasons.emplace_back("server.public_url is not set");
  }
  if (reasons.empty()) {
    return {};
  }
  return Failure(
      {.code = ErrorCode::InvalidArgument,
       .message = fmt::format("will not listen beyond this machine: {}", fmt::join(reasons, "; ")),
       .field = "server.listen",
       .reason = "open_bind"});
}

}  // namespace edge
