// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/crypto/bcrypt.h"
#include "core/crypto/digest.h"
#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/tokens/jws.h"

namespace edge::protocols::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMinSecretOctets = 32;  // RFC 7518 section 3.2
constexpr auto kKeepKeys = 10min;
constexpr auto kRetryKeys = 15s;
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kIssuer = "Optimizely";
/// Hash of a secret that nobody has: an unknown client costs as much time as a known one.
constexpr const char* kNobody = "$2b$10$abcdefghijklmnopqrstuuzkSd3mTq6vMvYwWUGYVKfIAn0hgkFe.";

Error wrong(std::string field, std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

Error refused(std::string why) {
  return {ErrorCode::Unauthenticated, std::move(why)};
}

std::int64_t unix_seconds(Time time) {
  return to_ms(time) / 1000;
}

/// The token of a request; empty when there is none.
std::string_view token_of(const http::Request& request) {
  const std::string_view authorization = request.header("Authorization").value_or("");
  if (authorization.size() > kBearer.size() &&
      http::equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) {
    return authorization.substr(kBearer.size());
  }
  const auto jwt = request.header("Jwt");
  return jwt ? *jwt : request.header("Auth").value_or("");
}

bool lists_key(json::Value claims, std::string_view sdk_key) {
  const auto keys = claims.find("sdk_keys");
  for (const json::Value key : keys ? keys->elements() : json::Elements{}) {
    if (key.as_string() == sdk_key) {
      return true;
    }
  }
  return false;
}

Result<Client> read_client(const config::Item& item) {
  const auto document = json::Document::parse(item.json, json::kApi);
  const auto text = [&](std::string_view name) {
    const auto member = document->root().find(name);
    return std::string(member ? member->as_string().value_or("") : "");
  };
  for (const auto& [name, value] : document->root().members()) {
    if (name != "id" && name != "secret_hash" && name != "sdk_keys") {
      return Failure(wrong("agent.clients",
                           fmt::format("{}: unknown key '{}' in [[agent.clients]], there are id, "
                                       "secret_hash, sdk_keys",
                                       item.where,
                                       name)));
    }
  }
  Client client{.id = text("id"),
                .secret_hash = encoding::base64_decode(text("secret_hash")).value_or("")};
  const auto keys = document->root().find("sdk_keys");
  for (const json::Value key : keys ? keys->elements() : json::Elements{}) {
    client.sdk_keys.emplace_back(key.as_string().value_or(""));
  }
  if (client.id.empty() || !client.secret_hash.starts_with("$2") || client.sdk_keys.empty()) {
    return Failure(wrong("agent.clients",
                         item.where + ": a client has an id, a secret_hash (base64 of a bcrypt "
                                      "hash) and sdk_keys"));
  }
  return client;
}

}  // namespace

Result<std::shared_ptr<Tokens>> Tokens::open(const config::Config& config,
                                             const config::Secrets& secrets,
                                             transport::HttpClient& http,
                                             const Clock& clock) {
  std::shared_ptr<Tokens> made(new Tokens(http, clock));  // private constructor
  made->ttl_ = std::chrono::duration_cast<std::chrono::seconds>(config.agent.token_ttl);
  made->jwks_url_ = config.agent.jwks_url;
  if (auto done = made->read_secrets(config, secrets); !done) {
    return Failure(done.error());
  }
  if (auto done = made->read_clients(config); !done) {
    return Failure(done.error());
  }
  if (!made->jwks_url_.empty()) {
    Tokens& tokens = *made;
    made->keeper_ =
        std::jthread([&tokens](const std::stop_token& stop) { tokens.keep_issuer_keys(stop); });
  }
  return made;
}

Result<void> Tokens::read_secrets(const config::Config& config, const config::Secrets& secrets) {
  for (const std::string& name : config.agent.auth_secrets) {
    const auto found = secrets.require(name);
    if (!found) {
      return Failure(found.error());
    }
    auto keys =
        tokens::read_key_text(found->value.view(), {.secret = tokens::SecretEncoding::Base64});
    const auto octets = encoding::base64_decode(found->value.view());
    if (!keys || !octets || octets->size() < kMinSecretOctets) {
      return Failure(
          wrong("agent.auth_secrets",
                fmt::format("the secret {} must be base64 of at least 32 octets", name)));
    }
    secrets_.push_back(std::move(keys->keys.front()));
  }
  return {};
}

Result<void> Tokens::read_clients(const config::Config& config) {
  for (const config::Item& item : config.agent_clients) {
    auto client = read_client(item);
    if (!client) {
      return Failure(client.error());
    }
    clients_.push_back(*std::move(client));
  }
  if (!clients_.empty() && secrets_.empty()) {
    return Failure(wrong("agent.clients",
                         "tokens of [[agent.clients]] need a secret that signs them: set "
                         "agent.auth_secrets"));
  }
  return {};
}

bool Tokens::fetch_issuer_keys() {
  const auto answer = http_.send({.url = jwks_url_});
  if (!answer || answer->status != 200) {
    return false;
  }
  const auto document = json::Document::parse(answer->body, json::kStrict);
  auto keys = document ? tokens::read_jwks(document->root()) : Failure(document.error());
  if (!keys) {
    return false;
  }
  issuer_keys_.publish(std::make_shared<const tokens::KeySet>(*std::move(keys)));
  return true;
}

void Tokens::keep_issuer_keys(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::chrono::seconds wait = fetch_issuer_keys() ? kKeepKeys : kRetryKeys;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, wait, [] { return false; });
  }
}

Result<tokens::VerifiedToken> Tokens::verify(std::string_view token) const {
  const tokens::JwtRules rules{.now = unix_seconds(clock_.now()), .required = {"exp"}};
  Error last = refused("no key to verify with");
  for (const tokens::TokenKey& secret : secrets_) {
    tokens::JwtRules hmac = rules;
    hmac.jws.algorithms = {crypto::Algorithm::HS256};
    auto verified = tokens::verify_token(token, {.keys = {secret}}, hmac);
    if (verified || verified.error().reason == "token_expired") {
      return verified;
    }
    last = verified.error();
  }
  if (const auto keys = issuer_keys_.get()) {
    return tokens::verify_token(token, *keys, rules);
  }
  return Failure(last);
}

Result<void> Tokens::check(const http::Request& request, std::string_view sdk_key) const {
  if (secrets_.empty() && jwks_url_.empty()) {
    return {};
  }
  const std::string_view token = token_of(request);
  if (token.empty()) {
    return Failure(refused("no token"));
  }
  const auto verified = verify(token);
  if (!verified) {
    const bool expired = verified.error().reason == "token_expired";
    return Failure(refused(expired ? "token expired" : "invalid token"));
  }
  if (!lists_key(verified->claims->root(), sdk_key)) {
    return Failure(refused("SDK key not found in the claims of the token"));
  }
  return {};
}

const Client* Tokens::find_client(std::string_view id, std::string_view secret) const {
  const auto found = std::ranges::find(clients_, id, &Client::id);
  const auto octets = encoding::base64_decode(secret);
  const bool is_right = crypto::verify_bcrypt(
      octets.value_or(""), found == clients_.end() ? kNobody : found->secret_hash);
  return is_right && octets && found != clients_.end() ? &*found : nullptr;
}

Result<std::string> Tokens::issue(const Client& client) const {
  if (secrets_.empty()) {
    return Failure({ErrorCode::Unavailable, "there is no secret to sign tokens with"});
  }
  json::Writer claims;
  claims.begin_object().member("iss", kIssuer).key("sdk_keys").begin_array();
  for (const std::string& key : client.sdk_keys) {
    claims.string(key);
  }
  claims.end_array().member("exp", unix_seconds(clock_.now()) + ttl_.count()).end_object();
  return tokens::make_jws(R"({"alg":"HS256","typ":"JWT"})",
                          claims.take(),
                          secrets_.front().key,
                          crypto::Algorithm::HS256);
}

}  // namespace edge::protocols::agent
