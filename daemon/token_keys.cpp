// SPDX-License-Identifier: MIT
#include "daemon/token_keys.h"

#include <utility>

#include "core/edge.h"
#include "core/json/document.h"
#include "core/tokens/signing_source.h"

namespace edge {

std::filesystem::path ring_path(const Edge& edge) {
  return edge.config.data_dir / "keys" / "jwt.json";
}

Result<tokens::SigningKeys> read_signing_keys(const Edge& edge) {
  return tokens::load_signing_keys(
      edge.secrets,
      {.ring = ring_path(edge), .any_secret = edge.is_demo(), .make_missing = edge.is_loopback()},
      edge.clock);
}

Result<tokens::ForeignIssuers> read_issuers(const Edge& edge) {
  std::vector<tokens::ForeignIssuer> issuers;
  for (const config::Item& item : edge.config.issuers) {
    const auto document = json::Document::parse(item.json, json::kApi);
    if (!document) {
      return Failure(document.error());
    }
    auto issuer = tokens::read_foreign_issuer(document->root(), edge.config.auth.audience);
    if (issuer) {
      issuer->jwks = edge.config.resolve(issuer->jwks.string());
      if (auto loaded = tokens::load_keys(*issuer); !loaded) {
        issuer = Failure(std::move(loaded.error()));
      }
    }
    if (!issuer) {
      issuer.error().message = item.where + ": " + issuer.error().message;
      return Failure(std::move(issuer.error()));
    }
    issuers.push_back(std::move(*issuer));
  }
  return tokens::ForeignIssuers(std::move(issuers));
}

Result<tokens::Rotation> rotate_signing_keys(Edge& edge) {
  const auto secret = edge.secrets.find("JWT_SECRET");
  if (!secret) {
    return Failure(secret.error());
  }
  if (*secret) {
    return Failure({ErrorCode::Conflict,
                    "tokens are signed with JWT_SECRET; it is rotated by setting another one",
                    {},
                    "secret_in_use"});
  }
  auto ring = tokens::load_key_ring(ring_path(edge), edge.secrets.file_rules());
  auto done =
      ring ? ring->rotate(edge.clock.now()) : Result<tokens::Rotation>(Failure(ring.error()));
  if (!done) {
    return done;
  }
  if (auto saved = tokens::save_key_ring(ring_path(edge), *ring); !saved) {
    return Failure(std::move(saved.error()));
  }
  auto keys = tokens::SigningKeys::of_ring(*ring, edge.clock.now());
  if (!keys) {
    return Failure(std::move(keys.error()));
  }
  edge.login.rekey(std::move(*keys));
  return done;
}

}  // namespace edge
