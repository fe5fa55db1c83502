// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "daemon/http/principal.h"

namespace edge {

class Edge;

/// Knows who sends a request: access tokens through `accounts::Login`, API keys through
/// `accounts::ApiKeys`, and the keys of the original's list API_KEYS. Immutable once opened,
/// thread-safe. Borrows the installation for life.
class EdgeAuthenticator final : public http::Authenticator {
 public:
  /// Loads the signing keys and starts `edge.login`; once per process. On loopback binds a missing
  /// key ring is made. Failure: those of `tokens::load_signing_keys` and of the store;
  /// InvalidArgument for an entry of API_KEYS below 16 characters.
  static Result<std::unique_ptr<EdgeAuthenticator>> open(Edge& edge);

  Result<http::Principal> authenticate(const http::Credentials& credentials) override;

  /// Whether API_KEYS is in use, which deserves a warning at the start: real keys are better.
  [[nodiscard]] bool has_listed_keys() const { return !listed_.empty(); }

 private:
  struct ListedKey {
    std::string hash;  ///< SHA-256
    std::string id;    ///< what logs show of it
  };

  EdgeAuthenticator(Edge& edge, std::vector<ListedKey> listed);
  static Result<std::vector<ListedKey>> read_listed(const Edge& edge);
  [[nodiscard]] Result<http::Principal> find_listed(std::string_view key) const;

  Edge& edge_;
  std::vector<ListedKey> listed_;
  std::vector<std::string> permissions_;  ///< of the listed keys
};

}  // namespace edge
