// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/snapshot.h"
#include "core/config/config.h"
#include "core/config/secrets.h"
#include "core/tokens/jwk.h"
#include "core/tokens/jwt.h"
#include "core/transport/http_client.h"
#include "daemon/http/request.h"

namespace edge::protocols::agent {

/// Somebody who may ask for tokens (`[[agent.clients]]`).
struct Client {
  std::string id = {};
  std::string secret_hash = {};  ///< bcrypt
  std::vector<std::string> sdk_keys = {};
};

/// Access tokens of the Agent surface (decisions spec 16.2, 16.7): checked only when secrets or a
/// JWKS address are configured. Thread-safe.
class Tokens {
 public:
  /// Reads `[agent]`. Failure: InvalidArgument naming the key.
  static Result<std::shared_ptr<Tokens>> open(const config::Config& config,
                                              const config::Secrets& secrets,
                                              transport::HttpClient& http,
                                              const Clock& clock);

  /// Whether the request may use the SDK key. The token stands in `Authorization: Bearer`, `Jwt` or
  /// `Auth`. Failure: Unauthenticated, the message says why.
  [[nodiscard]] Result<void> check(const http::Request& request, std::string_view sdk_key) const;

  /// The client of that id and secret (base64); null when there is none. Takes tens of
  /// milliseconds; for pool threads.
  [[nodiscard]] const Client* find_client(std::string_view id, std::string_view secret) const;
  /// A token for a client. Failure: Unavailable when there is no secret to sign with.
  [[nodiscard]] Result<std::string> issue(const Client& client) const;
  [[nodiscard]] std::chrono::seconds ttl() const { return ttl_; }

 private:
  Tokens(transport::HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {}
  Result<void> read_secrets(const config::Config& config, const config::Secrets& secrets);
  Result<void> read_clients(const config::Config& config);
  bool fetch_issuer_keys();
  void keep_issuer_keys(const std::stop_token& stop);
  [[nodiscard]] Result<tokens::VerifiedToken> verify(std::string_view token) const;

  transport::HttpClient& http_;
  const Clock& clock_;
  std::vector<tokens::TokenKey> secrets_;
  std::string jwks_url_;
  Snapshot<tokens::KeySet> issuer_keys_{nullptr};
  std::vector<Client> clients_;
  std::chrono::seconds ttl_{};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread keeper_;  // fetches the keys of the other issuer
};

}  // namespace edge::protocols::agent
