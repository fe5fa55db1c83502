// SPDX-License-Identifier: MIT
#include "core/tokens/foreign_issuers.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/tokens/issuer.h"
#include "core/tokens/jwt.h"
#include "core/tokens/roles.h"

namespace edge::tokens {
namespace {

constexpr std::size_t kMaxFieldBytes = std::size_t{8} * 1024;
constexpr std::size_t kMaxSetBytes = std::size_t{1} << 20U;

Error wrong(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), "auth.issuers", "config_invalid"};
}

/// A text, or a list of texts.
Result<std::vector<std::string>> texts_of(json::Value object, const char* name) {
  std::vector<std::string> texts;
  const auto value = object.find(name);
  if (!value) {
    return texts;
  }
  if (const auto text = value->as_string()) {
    texts.emplace_back(*text);
    return texts;
  }
  for (const json::Value element : value->elements()) {
    const auto text = element.as_string();
    if (!text) {
      return Failure(wrong(std::string("\"") + name + "\" holds something else than texts"));
    }
    texts.emplace_back(*text);
  }
  if (!value->is_array()) {
    return Failure(wrong(std::string("\"") + name + "\" is no text and no list"));
  }
  return texts;
}

Result<void> read_algorithms(json::Value element, ForeignIssuer& issuer) {
  const auto names = texts_of(element, "algorithms");
  if (!names) {
    return Failure(names.error());
  }
  for (const std::string& name : *names) {
    const auto algorithm = crypto::algorithm_named(name);
    if (!algorithm || crypto::is_symmetric(*algorithm)) {
      return Failure(wrong("\"algorithms\": \"" + name + "\" is no signature algorithm"));
    }
    issuer.algorithms.push_back(*algorithm);
  }
  return issuer.algorithms.empty() ? Result<void>(Failure(wrong("\"algorithms\" is missing")))
                                   : Result<void>();
}

Result<void> read_roles(json::Value element, ForeignIssuer& issuer) {
  const auto roles = element.find("roles");
  if (!roles) {
    return {};
  }
  if (!roles->is_object()) {
    return Failure(wrong("\"roles\" is no table"));
  }
  for (const auto& [value, role] : roles->members()) {
    const std::string name(role.as_string().value_or(""));
    if (!is_role(name)) {
      return Failure(wrong("\"roles\": \"" + name + "\" is no role: admin, editor, viewer"));
    }
    issuer.roles.emplace(value, name);
  }
  return {};
}

std::vector<std::string> roles_of(const ForeignIssuer& issuer, json::Value claims) {
  std::vector<std::string> roles;
  const auto add = [&](std::string_view value) {
    if (const auto mapped = issuer.roles.find(value); mapped != issuer.roles.end()) {
      roles.push_back(mapped->second);
    } else if (issuer.roles.empty() && is_role(value) && value != "admin") {
      roles.emplace_back(value);
    }
  };
  if (const auto value = claims.find(issuer.claim)) {
    add(value->as_string().value_or(""));
    for (const json::Value element : value->elements()) {
      add(element.as_string().value_or(""));
    }
  }
  return roles;
}

}  // namespace

Result<ForeignIssuer> read_foreign_issuer(json::Value element, const std::string& audience) {
  for (const auto& [name, value] : element.members()) {
    static constexpr std::string_view kKnown = " name jwks audience algorithms claim roles ";
    if (kKnown.find(" " + std::string(name) + " ") == std::string_view::npos) {
      return Failure(wrong("unknown member \"" + std::string(name) + "\""));
    }
  }
  const auto text_of = [&](const char* name) {
    const auto value = element.find(name);
    return std::string(value ? value->as_string().value_or("") : std::string_view());
  };
  ForeignIssuer issuer{.name = text_of("name"), .jwks = text_of("jwks")};
  if (issuer.name.empty() || issuer.jwks.empty()) {
    return Failure(wrong("an issuer needs \"name\" and \"jwks\""));
  }
  if (element.find("claim")) {
    issuer.claim = text_of("claim");
  }
  auto audiences = texts_of(element, "audience");
  if (!audiences) {
    return Failure(std::move(audiences.error()));
  }
  issuer.audiences = std::move(*audiences);
  if (issuer.audiences.empty()) {
    issuer.audiences = {audience};
  }
  if (auto read = read_algorithms(element, issuer); !read) {
    return Failure(std::move(read.error()));
  }
  if (auto read = read_roles(element, issuer); !read) {
    return Failure(std::move(read.error()));
  }
  return issuer;
}

Result<void> load_keys(ForeignIssuer& issuer) {
  const std::string place = "auth.issuers: \"" + issuer.jwks.string() + "\"";
  std::ifstream file(issuer.jwks, std::ios::binary);
  if (!file) {
    return Failure(wrong(place + " cannot be read"));
  }
  std::string text(kMaxSetBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxSetBytes) {
    return Failure(wrong(place + " is larger than 1 MiB"));
  }
  const auto document = json::Document::parse(text, json::kStrict);
  auto keys = document ? read_jwks(document->root()) : Result<KeySet>(Failure(document.error()));
  if (!keys) {
    return Failure(wrong(place + ": " + keys.error().message));
  }
  const bool has_secret = std::ranges::any_of(
      keys->keys, [](const TokenKey& key) { return key.key.kind() == crypto::KeyKind::Secret; });
  if (has_secret || keys->keys.empty()) {
    return Failure(wrong(place + " holds " + (has_secret ? "a secret" : "no key for signatures")));
  }
  issuer.keys = std::move(*keys);
  return {};
}

Result<AccessClaims> ForeignIssuers::verify(std::string_view token, Time now) const {
  Error refused = token_error("iss_mismatch", "the token is from another issuer");
  for (const ForeignIssuer& issuer : issuers_) {
    const JwtRules rules{.jws = {.algorithms = issuer.algorithms, .max_bytes = kMaxFieldBytes},
                         .issuers = {issuer.name},
                         .audiences = issuer.audiences,
                         .now = to_ms(now) / 1000,
                         .required = {"exp", "sub"}};
    const auto verified = verify_token(token, issuer.keys, rules);
    if (!verified) {
      // Reasons that come before the signature was found right say only that it is not theirs.
      static constexpr std::string_view kNotTheirs =
          " kid_unknown kid_ambiguous alg_not_allowed alg_key_mismatch signature_invalid "
          "iss_mismatch ";
      if (kNotTheirs.find(" " + verified.error().reason + " ") == std::string_view::npos) {
        refused = verified.error();
      }
      continue;
    }
    const json::Value claims = verified->claims->root();
    const auto text_of = [&](const char* name) {
      const auto value = claims.find(name);
      return std::string(value ? value->as_string().value_or("") : std::string_view());
    };
    const auto expires = static_cast<std::int64_t>(*claims.find("exp")->as_double());
    return AccessClaims{.issuer = issuer.name,
                        .account = {text_of("sub")},
                        .token_id = text_of("jti"),
                        .roles = roles_of(issuer, claims),
                        .expires = from_ms(expires * 1000),
                        .issued = issued_of(claims),
                        .rooms = rooms_of(claims)};
  }
  return Failure(std::move(refused));
}

}  // namespace edge::tokens
