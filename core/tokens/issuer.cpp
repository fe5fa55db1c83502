// SPDX-License-Identifier: MIT
#include "core/tokens/issuer.h"

#include <stdexcept>
#include <utility>

#include "core/json/writer.h"
#include "core/tokens/jwt.h"
#include "core/tokens/roles.h"

namespace edge::tokens {
namespace {

constexpr std::size_t kMaxFieldBytes = std::size_t{8} * 1024;
constexpr const char* kType = "at+jwt";

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void write_texts(json::Writer& out, const char* name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) {
    out.string(text);
  }
  out.end_array();
}

std::string text_of(json::Value claims, const char* name) {
  const auto value = claims.find(name);
  return std::string(value ? value->as_string().value_or("") : std::string_view());
}

std::vector<std::string> texts_of(json::Value claims, const char* name) {
  std::vector<std::string> texts;
  if (const auto list = claims.find(name)) {
    for (const json::Value member : list->elements()) {
      if (const auto text = member.as_string()) {
        texts.emplace_back(*text);
      }
    }
  }
  return texts;
}

}  // namespace

Issuer::Issuer(SigningKeys keys, IssuerSettings settings, const Clock& clock, Ids& ids)
    : keys_(std::move(keys)), settings_(std::move(settings)), clock_(clock), ids_(ids) {
  json::Writer out;
  out.begin_object().member("alg", crypto::name_of(keys_.algorithm));
  if (keys_.signer.id) {
    out.member("kid", *keys_.signer.id);
  }
  header_ = out.member("typ", kType).end_object().take();
}

std::string Issuer::mint(const Subject& subject) const {
  const std::int64_t now = seconds_of(clock_.now());
  const std::vector<std::string> permissions = permissions_of(subject.roles);
  std::string scope;
  for (const std::string& permission : permissions) {
    scope += (scope.empty() ? "" : " ") + permission;
  }
  json::Writer out;
  out.begin_object()
      .member("iss", settings_.issuer)
      .member("aud", settings_.audience)
      .member("sub", subject.account.text)
      .member("client_id", "edged")
      .member("iat", now)
      .member("exp", now + settings_.access_ttl.count())
      .member("jti", ids_.uuid())
      .member("sid", subject.session.text)
      .member("email", subject.email)
      .member("name", subject.name);
  write_texts(out, "roles", subject.roles);
  write_texts(out, "permissions", permissions);
  out.member("scope", scope).end_object();
  auto token = make_jws(header_, out.text(), keys_.signer.key, keys_.algorithm);
  if (!token) {
    throw std::logic_error("the signing key cannot sign: " + token.error().message);
  }
  return std::move(*token);
}

Result<AccessClaims> Issuer::verify(std::string_view token) const {
  const JwtRules rules{.jws = {.max_bytes = kMaxFieldBytes},
                       .issuers = {settings_.issuer},
                       .audiences = {settings_.audience},
                       .type = kType,
                       .now = seconds_of(clock_.now()),
                       .required = {"exp", "sub"}};
  const auto verified = verify_token(token, keys_.verifiers, rules);
  if (!verified) {
    return Failure(verified.error());
  }
  const json::Value claims = verified->claims->root();
  const auto expires = static_cast<std::int64_t>(*claims.find("exp")->as_double());
  return AccessClaims{.account = {text_of(claims, "sub")},
                      .session = {text_of(claims, "sid")},
                      .token_id = text_of(claims, "jti"),
                      .roles = texts_of(claims, "roles"),
                      .permissions = texts_of(claims, "permissions"),
                      .expires = from_ms(expires * 1000)};
}

}  // namespace edge::tokens
