// SPDX-License-Identifier: MIT
#include "core/tokens/jws.h"

#include <algorithm>
#include <array>

#include "core/encoding/base64.h"

namespace edge::tokens {
namespace {

using crypto::Algorithm;

constexpr json::Profile kHeaderProfile{
    .refuse_duplicates = true, .max_depth = 8, .max_members = 10'000};
constexpr std::size_t kMaxKidBytes = 256;
constexpr std::array<std::string_view, 6> kForeignKeyMembers = {
    "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"};

/// The members of a header that matter; views into its document.
struct Header {
  Algorithm algorithm = Algorithm::EdDSA;
  std::optional<std::string_view> kid = {};
};

bool is_none(std::string_view name) {
  static constexpr std::string_view kNone = "none";
  return std::equal(name.begin(), name.end(), kNone.begin(), kNone.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  });
}

Result<json::Document> parse_header(const std::string& text) {
  auto document = json::Document::parse(text, kHeaderProfile);
  if (!document) {
    return Failure(document.error().reason == "duplicate_member"
                       ? token_error("duplicate_member", "the header has a member twice")
                       : token_error("header_invalid", "the header is no proper JSON"));
  }
  if (!document->root().is_object()) {
    return Failure(token_error("header_invalid", "the header is no object"));
  }
  return document;
}

/// `alg`, after `none` and unknown names were sent away.
Result<Algorithm> read_algorithm(json::Value header, const JwsRules& rules) {
  const auto value = header.find("alg");
  if (!value) {
    return Failure(token_error("alg_missing", "the header names no algorithm"));
  }
  const auto name = value->as_string();
  if (!name) {
    return Failure(token_error("header_invalid", "\"alg\" of the header is no text"));
  }
  if (is_none(*name)) {
    return Failure(token_error("alg_none", "the token is not signed"));
  }
  const auto algorithm = crypto::algorithm_named(*name);
  const bool listed =
      algorithm && (!rules.algorithms ||
                    std::find(rules.algorithms->begin(), rules.algorithms->end(), *algorithm) !=
                        rules.algorithms->end());
  if (!listed) {
    return Failure(token_error("alg_not_allowed", "the algorithm of the token is not accepted"));
  }
  return *algorithm;
}

Result<Header> read_header(json::Value header, const JwsRules& rules) {
  // `crit` and the types of `kid` and `typ` belong to step 3, the caller's list to step 4.
  const auto algorithm = read_algorithm(header, rules);
  if (!algorithm && algorithm.error().reason != "alg_not_allowed") {
    return Failure(algorithm.error());
  }
  if (header.find("crit")) {
    return Failure(token_error("crit_unsupported", "the header demands an extension"));
  }
  Header read;
  if (const auto kid = header.find("kid")) {
    read.kid = kid->as_string();
    if (!read.kid || read.kid->size() > kMaxKidBytes) {
      return Failure(
          token_error("header_invalid", "\"kid\" of the header is no text of at most 256 octets"));
    }
  }
  if (const auto type = header.find("typ"); type && !type->is_string()) {
    return Failure(token_error("header_invalid", "\"typ\" of the header is no text"));
  }
  for (const std::string_view name : kForeignKeyMembers) {
    if (rules.strict_header && header.find(name)) {
      return Failure(token_error("header_forbidden", "the header brings or names a key"));
    }
  }
  if (!algorithm) {
    return Failure(algorithm.error());
  }
  read.algorithm = *algorithm;
  return read;
}

/// Whether the key is for that algorithm: by itself, or pinned by the caller's list, in which the
/// algorithm was found before.
bool is_for(const TokenKey& key, Algorithm algorithm, const JwsRules& rules) {
  return key.algorithm ? *key.algorithm == algorithm
                       : rules.algorithms.has_value() && key.key.fits(algorithm);
}

Result<const TokenKey*> choose_of_set(const KeySet& keys,
                                      const Header& header,
                                      const JwsRules& rules) {
  const TokenKey* chosen = nullptr;
  for (const TokenKey& key : keys.keys) {
    if (header.kid ? key.id == *header.kid : is_for(key, header.algorithm, rules)) {
      if (chosen != nullptr) {
        return Failure(token_error("kid_ambiguous", "the token names no key and several fit"));
      }
      chosen = &key;
    }
  }
  if (chosen == nullptr) {
    return Failure(token_error("kid_unknown", "no key of the set is the one of the token"));
  }
  return chosen;
}

Result<const TokenKey*> choose(const KeySet& keys, const Header& header, const JwsRules& rules) {
  if (keys.is_set) {
    return choose_of_set(keys, header, rules);
  }
  if (keys.keys.empty()) {
    return Failure(token_error("key_missing", "there is no key"));
  }
  const TokenKey& only = keys.keys.front();
  if (header.kid && only.id && *only.id != *header.kid) {
    return Failure(token_error("kid_unknown", "the token names another key"));
  }
  return &only;
}

Result<void> check_algorithm(const TokenKey& key, Algorithm algorithm, const JwsRules& rules) {
  if (!key.algorithm && !rules.algorithms) {
    return Failure(
        token_error("alg_not_pinned", "the key fits several algorithms and none was demanded"));
  }
  if (!is_for(key, algorithm, rules)) {
    return Failure(token_error("alg_key_mismatch", "the algorithm is not that of the key"));
  }
  if (const auto sized = key.key.check_size(algorithm); !sized) {
    return Failure(token_error(sized.error().reason, sized.error().message));
  }
  return {};
}

}  // namespace

Error token_error(std::string_view reason, std::string_view message) {
  return {ErrorCode::Unauthenticated, std::string(message), {}, std::string(reason)};
}

Result<Parts> split_token(std::string_view token, std::size_t max_bytes) {
  if (token.empty()) {
    return Failure(token_error("token_missing", "there is no token"));
  }
  if (token.size() > std::min(max_bytes, kMaxTokenBytesEver)) {
    return Failure(token_error("token_too_large", "the token is too long"));
  }
  if (token.front() == '{') {
    return Failure(token_error("json_serialization", "only the compact form is read"));
  }
  const auto dots = std::count(token.begin(), token.end(), '.');
  if (dots == 4) {
    return Failure(token_error("jwe_unsupported", "encrypted tokens are not read"));
  }
  if (dots != 2) {
    return Failure(token_error("token_malformed", "a token has three parts"));
  }
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  auto header = encoding::base64url_decode(token.substr(0, first));
  auto payload = encoding::base64url_decode(token.substr(first + 1, second - first - 1));
  auto signature = encoding::base64url_decode(token.substr(second + 1));
  if (!header || !payload || !signature) {
    return Failure(token_error("base64_invalid", "a part of the token is no base64url"));
  }
  return Parts{.header = std::move(*header),
               .payload = std::move(*payload),
               .signature = std::move(*signature),
               .signed_text = token.substr(0, second)};
}

Result<VerifiedJws> verify_jws(std::string_view token, const KeySet& keys, const JwsRules& rules) {
  auto parts = split_token(token, rules.max_bytes);
  if (!parts) {
    return Failure(std::move(parts.error()));
  }
  auto document = parse_header(parts->header);
  if (!document) {
    return Failure(std::move(document.error()));
  }
  const auto header = read_header(document->root(), rules);
  if (!header) {
    return Failure(header.error());
  }
  const auto key = choose(keys, *header, rules);
  if (!key) {
    return Failure(key.error());
  }
  if (auto fits = check_algorithm(**key, header->algorithm, rules); !fits) {
    return Failure(std::move(fits.error()));
  }
  if (parts->signature.empty()) {
    return Failure(token_error("signature_missing", "the token has no signature"));
  }
  if (!(*key)->key.verify(header->algorithm, parts->signed_text, parts->signature)) {
    return Failure(token_error("signature_invalid", "the signature is wrong"));
  }
  return VerifiedJws{.header = std::move(*document),
                     .payload = std::move(parts->payload),
                     .algorithm = header->algorithm,
                     .key = *key};
}

Result<std::string> make_jws(std::string_view header,
                             std::string_view payload,
                             const crypto::Key& key,
                             crypto::Algorithm algorithm) {
  std::string token =
      encoding::base64url_encode(header) + '.' + encoding::base64url_encode(payload);
  const auto signature = key.sign(algorithm, token);
  if (!signature) {
    return Failure(signature.error());
  }
  token += '.';
  token += encoding::base64url_encode(*signature);
  return token;
}

}  // namespace edge::tokens
