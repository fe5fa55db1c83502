// SPDX-License-Identifier: MIT
#include "core/tokens/issuer.h"

#include <stdexcept>
#include <utility>

#include "core/encoding/base64.h"
#include "core/json/writer.h"
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
    : keys_(std::move(keys)),
      settings_(std::move(settings)),
      rules_{.jws = {.max_bytes = kMaxFieldBytes},
             .issuers = {settings_.issuer},
             .audiences = {settings_.audience},
             .type = kType,
             .required = {"exp", "sub"}},
      clock_(clock),
      ids_(ids) {
  json::Writer out;
  out.begin_object().member("alg", crypto::name_of(keys_.algorithm));
  if (keys_.signer.id) {
    out.member("kid", *keys_.signer.id);
  }
  header_ = encoding::base64url_encode(out.member("typ", kType).end_object().text()) + '.';
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
  std::string token = header_ + encoding::base64url_encode(out.text());
  const auto signature = keys_.signer.key.sign(keys_.algorithm, token);
  if (!signature) {
    throw std::logic_error("the signing key cannot sign: " + signature.error().message);
  }
  token += '.';
  token += encoding::base64url_encode(*signature);
  return token;
}

/// Nearly every token begins with the header that `mint` writes, so that key, algorithm and type
/// are known without reading it (a third of the time of a verification). Everything that is not
/// right goes the long way, which finds the exact code.
Result<json::Document> Issuer::claims_of(std::string_view token) const {
  const std::int64_t now = seconds_of(clock_.now());
  if (token.size() <= kMaxFieldBytes && token.starts_with(header_)) {
    const std::size_t dot = token.find('.', header_.size());
    const bool has_three =
        dot != std::string_view::npos && token.find('.', dot + 1) == std::string_view::npos;
    const auto signature =
        has_three ? encoding::base64url_decode(token.substr(dot + 1)) : std::nullopt;
    if (signature && keys_.signer.key.verify(keys_.algorithm, token.substr(0, dot), *signature)) {
      const auto payload =
          encoding::base64url_decode(token.substr(header_.size(), dot - header_.size()));
      if (payload) {
        return read_claims(*payload, rules_, now);
      }
    }
  }
  JwtRules rules = rules_;
  rules.now = now;
  auto verified = verify_token(token, keys_.verifiers, rules);
  if (!verified) {
    return Failure(std::move(verified.error()));
  }
  return std::move(*verified->claims);
}

std::optional<Time> issued_of(json::Value claims) {
  const auto issued = claims.find("iat");
  const auto seconds = issued ? issued->as_double() : std::nullopt;
  return seconds ? std::optional(from_ms(static_cast<std::int64_t>(*seconds) * 1000))
                 : std::nullopt;
}

std::optional<std::vector<std::string>> rooms_of(json::Value claims) {
  const auto rooms = claims.find("rooms");
  return rooms && !rooms->is_null() ? std::optional(texts_of(claims, "rooms")) : std::nullopt;
}

Result<AccessClaims> Issuer::verify(std::string_view token) const {
  const auto document = claims_of(token);
  if (!document) {
    return Failure(document.error());
  }
  const json::Value claims = document->root();
  const auto expires = static_cast<std::int64_t>(*claims.find("exp")->as_double());
  return AccessClaims{.account = {text_of(claims, "sub")},
                      .session = {text_of(claims, "sid")},
                      .token_id = text_of(claims, "jti"),
                      .roles = texts_of(claims, "roles"),
                      .permissions = texts_of(claims, "permissions"),
                      .expires = from_ms(expires * 1000),
                      .issued = issued_of(claims),
                      .rooms = rooms_of(claims)};
}

}  // namespace edge::tokens
