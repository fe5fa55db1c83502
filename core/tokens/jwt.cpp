// SPDX-License-Identifier: MIT
#include "core/tokens/jwt.h"

#include <algorithm>
#include <cmath>

namespace edge::tokens {
namespace {

constexpr json::Profile kPayloadProfile{
    .refuse_duplicates = true, .max_depth = 32, .max_members = 10'000};

Error wrong_type(std::string_view claim) {
  return token_error("claim_type",
                     "claim \"" + std::string(claim) + "\" has a wrong type or value");
}

Error missing(std::string_view claim) {
  return token_error("claim_missing", "claim \"" + std::string(claim) + "\" is missing");
}

/// A time claim; nothing when it is absent.
Result<std::optional<double>> time_of(json::Value claims, std::string_view name) {
  const auto value = claims.find(name);
  if (!value) {
    return std::optional<double>();
  }
  const auto time = value->as_double();
  if (!time || !std::isfinite(*time) || *time < 0 || *time > static_cast<double>(kMaxClaimTime)) {
    return Failure(wrong_type(name));
  }
  return time;
}

Result<void> check_times(json::Value claims, const JwtRules& rules, std::int64_t at) {
  const auto exp = time_of(claims, "exp");
  const auto nbf = exp ? time_of(claims, "nbf") : exp;
  const auto iat = nbf ? time_of(claims, "iat") : nbf;
  if (!iat) {
    return Failure(iat.error());
  }
  const auto now = static_cast<double>(at);
  const auto leeway = static_cast<double>(rules.leeway);
  if (*exp && **exp <= now - leeway) {
    return Failure(token_error("token_expired", "the token has expired"));
  }
  if (*nbf && **nbf > now + leeway) {
    return Failure(token_error("token_not_active", "the token is not valid yet"));
  }
  if (!rules.max_age) {
    return {};
  }
  if (!*iat) {
    return Failure(missing("iat"));
  }
  if (**iat > now + leeway) {
    return Failure(token_error("iat_in_future", "the token was issued in the future"));
  }
  if (now - **iat - leeway > static_cast<double>(*rules.max_age)) {
    return Failure(token_error("token_too_old", "the token is too old"));
  }
  return {};
}

bool is_one_of(const std::vector<std::string>& accepted, std::string_view text) {
  return std::find(accepted.begin(), accepted.end(), text) != accepted.end();
}

Result<void> check_issuer(json::Value claims, const JwtRules& rules) {
  if (rules.issuers.empty()) {
    return {};
  }
  const auto issuer = claims.find("iss");
  if (!issuer) {
    return Failure(missing("iss"));
  }
  if (!issuer->is_string()) {
    return Failure(wrong_type("iss"));
  }
  if (!is_one_of(rules.issuers, *issuer->as_string())) {
    return Failure(token_error("iss_mismatch", "the token is from another issuer"));
  }
  return {};
}

Result<void> check_audience(json::Value claims, const JwtRules& rules) {
  if (rules.audiences.empty()) {
    return {};
  }
  const auto audience = claims.find("aud");
  if (!audience) {
    return Failure(missing("aud"));
  }
  if (!audience->is_string() && !audience->is_array()) {
    return Failure(wrong_type("aud"));
  }
  bool found = audience->is_string() && is_one_of(rules.audiences, *audience->as_string());
  for (const json::Value member : audience->elements()) {
    if (!member.is_string()) {
      return Failure(wrong_type("aud"));
    }
    found = found || is_one_of(rules.audiences, *member.as_string());
  }
  if (!found) {
    return Failure(token_error("aud_mismatch", "the token is for another audience"));
  }
  return {};
}

Result<void> check_subject(json::Value claims, const JwtRules& rules) {
  const bool required = is_one_of(rules.required, "sub");
  const auto subject = claims.find("sub");
  if (!subject || (!required && !rules.subject)) {
    return rules.subject ? Result<void>(Failure(missing("sub"))) : Result<void>();
  }
  const auto text = subject->as_string();
  if (!text || (required && text->empty())) {
    return Failure(wrong_type("sub"));
  }
  if (rules.subject && *text != *rules.subject) {
    return Failure(token_error("sub_mismatch", "the token is about another subject"));
  }
  return {};
}

std::string media_type(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (small.starts_with("application/") && small.find('/', 12) == std::string::npos) {
    small.erase(0, 12);
  }
  return small;
}

Result<void> check_type(json::Value header, const JwtRules& rules) {
  if (rules.type.empty()) {
    return {};
  }
  const auto type = header.find("typ");
  if (!type || media_type(type->as_string().value_or("")) != media_type(rules.type)) {
    return Failure(token_error("typ_mismatch", "the token is of another type"));
  }
  return {};
}

Result<void> check_claims(json::Value claims, const JwtRules& rules, std::int64_t now) {
  for (const std::string& name : rules.required) {
    if (!claims.find(name)) {
      return Failure(missing(name));
    }
  }
  if (auto kept = check_times(claims, rules, now); !kept) {
    return kept;
  }
  for (const auto check : {check_issuer, check_audience, check_subject}) {
    if (auto kept = check(claims, rules); !kept) {
      return kept;
    }
  }
  return {};
}

}  // namespace

Result<json::Document> read_claims(std::string_view payload,
                                   const JwtRules& rules,
                                   std::int64_t now) {
  auto claims = json::Document::parse(payload, kPayloadProfile);
  if (!claims || !claims->root().is_object()) {
    const bool twice = !claims && claims.error().reason == "duplicate_member";
    return Failure(twice ? token_error("duplicate_member", "the token has a claim twice")
                         : token_error("payload_invalid", "the claims are no proper JSON object"));
  }
  if (auto kept = check_claims(claims->root(), rules, now); !kept) {
    return Failure(std::move(kept.error()));
  }
  return claims;
}

Result<VerifiedToken> verify_token(std::string_view token,
                                   const KeySet& keys,
                                   const JwtRules& rules) {
  auto jws = verify_jws(token, keys, rules.jws);
  if (!jws) {
    return Failure(std::move(jws.error()));
  }
  VerifiedToken verified{.jws = std::move(*jws)};
  if (auto kept = check_type(verified.jws.header.root(), rules); !kept) {
    return Failure(std::move(kept.error()));
  }
  if (rules.any_payload) {
    return verified;
  }
  auto claims = read_claims(verified.jws.payload, rules, rules.now);
  if (!claims) {
    return Failure(std::move(claims.error()));
  }
  verified.claims = std::move(*claims);
  return verified;
}

}  // namespace edge::tokens
