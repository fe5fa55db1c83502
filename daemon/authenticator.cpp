// SPDX-License-Identifier: MIT
#include "daemon/authenticator.h"

#include <algorithm>
#include <utility>

#include "core/accounts/api_key_text.h"
#include "core/crypto/digest.h"
#include "core/edge.h"
#include "core/encoding/hex.h"
#include "core/tokens/jws.h"
#include "core/tokens/roles.h"
#include "daemon/token_keys.h"

namespace edge {
namespace {

constexpr std::size_t kMinListedBytes = 16;
constexpr std::chrono::seconds kLongestInUrl{300};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

Result<std::unique_ptr<EdgeAuthenticator>> EdgeAuthenticator::open(Edge& edge) {
  auto keys = read_signing_keys(edge);
  if (!keys) {
    return Failure(std::move(keys.error()));
  }
  auto others = read_issuers(edge);
  if (!others) {
    return Failure(std::move(others.error()));
  }
  if (auto started = edge.login.start(std::move(*keys)); !started) {
    return Failure(std::move(started.error()));
  }
  edge.login.trust(std::move(*others));
  auto listed = read_listed(edge);
  if (!listed) {
    return Failure(std::move(listed.error()));
  }
  return std::unique_ptr<EdgeAuthenticator>(new EdgeAuthenticator(edge, std::move(*listed)));
}

EdgeAuthenticator::EdgeAuthenticator(Edge& edge, std::vector<ListedKey> listed)
    : edge_(edge),
      listed_(std::move(listed)),
      permissions_(tokens::service_permissions(edge.config.auth.api_keys_scopes)) {}

Result<std::vector<EdgeAuthenticator::ListedKey>> EdgeAuthenticator::read_listed(const Edge& edge) {
  std::vector<ListedKey> keys;
  const auto found = edge.secrets.find("API_KEYS");
  if (!found) {
    return Failure(found.error());
  }
  std::string_view rest = *found ? (*found)->value.view() : std::string_view();
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view key = trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (key.empty()) {
      continue;
    }
    if (key.size() < kMinListedBytes) {
      return Failure({ErrorCode::InvalidArgument,
                      "an entry of API_KEYS is shorter than 16 characters",
                      "API_KEYS",
                      "weak_secret"});
    }
    const std::string hash = crypto::sha256(key);
    keys.push_back({.hash = hash, .id = "listed-" + encoding::hex_encode(hash).substr(0, 8)});
  }
  return keys;
}

Result<http::Principal> EdgeAuthenticator::find_listed(std::string_view key) const {
  const std::string hash = crypto::sha256(key);
  const ListedKey* found = nullptr;
  for (const ListedKey& listed : listed_) {  // all of them, so that the time says nothing
    if (crypto::constant_time_equal(listed.hash, hash)) {
      found = &listed;
    }
  }
  if (found == nullptr) {
    return Failure(tokens::token_error("invalid_api_key", "the api key is not valid"));
  }
  return http::Principal{.kind = http::Principal::Kind::ApiKey,
                         .id = found->id,
                         .roles = {"service"},
                         .permissions = permissions_};
}

Result<http::Principal> EdgeAuthenticator::authenticate(const http::Credentials& credentials) {
  if (credentials.api_key.starts_with(accounts::kApiKeyPrefix)) {
    const auto key = edge_.api_keys.authenticate(credentials.api_key);
    if (!key) {
      return Failure(key.error());
    }
    return http::Principal{.kind = http::Principal::Kind::ApiKey,
                           .id = (*key)->id,
                           .roles = {"service"},
                           .permissions = tokens::service_permissions((*key)->scopes)};
  }
  if (!credentials.api_key.empty()) {
    return find_listed(credentials.api_key);
  }
  auto access = edge_.login.check_access(credentials.bearer);
  if (!access) {
    return Failure(std::move(access.error()));
  }
  if (credentials.must_be_short_lived &&
      (!access->issued || access->expires - *access->issued > kLongestInUrl)) {
    return Failure(tokens::token_error(
        "long_lived_token", "a token in the query must be good for 300 seconds at most"));
  }
  return http::Principal{.kind = http::Principal::Kind::User,
                         .id = std::move(access->account.text),
                         .session = std::move(access->session.text),
                         .roles = std::move(access->roles),
                         .permissions = std::move(access->permissions),
                         .rooms = std::move(access->rooms),
                         .expires = access->expires};
}

}  // namespace edge
