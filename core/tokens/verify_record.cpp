// SPDX-License-Identifier: MIT
#include "core/tokens/verify_record.h"

#include <chrono>
#include <utility>
#include <vector>

#include "core/crypto/pem.h"
#include "core/encoding/base64.h"
#include "core/json/writer.h"
#include "core/tokens/jwt.h"

namespace edge::tokens {
namespace {

Error bad_record(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), {}, "bad_record"};
}

/// A text, or a list of texts, as a list.
Result<std::vector<std::string>> read_texts(json::Value options, const char* name) {
  std::vector<std::string> texts;
  const auto value = options.find(name);
  if (!value) {
    return texts;
  }
  if (const auto text = value->as_string()) {
    texts.emplace_back(*text);
    return texts;
  }
  for (const json::Value member : value->elements()) {
    const auto text = member.as_string();
    if (!text) {
      return Failure(
          bad_record(std::string("option \"") + name + "\" holds something else than texts"));
    }
    texts.emplace_back(*text);
  }
  if (!value->is_array()) {
    return Failure(bad_record(std::string("option \"") + name + "\" is no text and no list"));
  }
  return texts;
}

Result<std::optional<std::int64_t>> read_seconds(json::Value options, const char* name) {
  const auto value = options.find(name);
  if (!value) {
    return std::optional<std::int64_t>();
  }
  const auto seconds = value->as_int64();
  if (!seconds || *seconds < 0 || *seconds > kMaxClaimTime) {
    return Failure(bad_record(std::string("option \"") + name + "\" is no number of seconds"));
  }
  return seconds;
}

Result<void> read_numbers(json::Value options, JwtRules& rules) {
  const auto now = read_seconds(options, "now");
  const auto leeway = now ? read_seconds(options, "leeway") : now;
  const auto max_age = leeway ? read_seconds(options, "max_age") : leeway;
  if (!max_age) {
    return Failure(max_age.error());
  }
  rules.now = now->value_or(rules.now);
  rules.leeway = leeway->value_or(0);
  rules.max_age = *max_age;
  if (rules.leeway > kMaxLeewaySeconds) {
    return Failure(bad_record("option \"leeway\" is more than 300 seconds"));
  }
  return {};
}

Result<JwtRules> read_rules(std::optional<json::Value> options, Time now) {
  JwtRules rules;
  rules.now = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (!options) {
    return rules;
  }
  if (!options->is_object()) {
    return Failure(bad_record("\"options\" is no object"));
  }
  auto issuers = read_texts(*options, "iss");
  auto audiences = read_texts(*options, "aud");
  auto required = read_texts(*options, "require");
  auto algorithms = read_texts(*options, "algs");
  for (const auto* texts : {&issuers, &audiences, &required, &algorithms}) {
    if (!*texts) {
      return Failure(texts->error());
    }
  }
  rules.issuers = std::move(*issuers);
  rules.audiences = std::move(*audiences);
  rules.required = std::move(*required);
  if (options->find("algs")) {
    rules.jws.algorithms.emplace();
    for (const std::string& name : *algorithms) {
      if (const auto algorithm = crypto::algorithm_named(name)) {
        rules.jws.algorithms->push_back(*algorithm);
      }
    }
  }
  if (const auto subject = options->find("sub")) {
    rules.subject = std::string(subject->as_string().value_or(""));
  }
  if (const auto type = options->find("typ")) {
    rules.type = std::string(type->as_string().value_or(""));
  }
  const auto jws = options->find("jws");
  rules.any_payload = jws && jws->as_bool().value_or(false);
  if (auto read = read_numbers(*options, rules); !read) {
    return Failure(std::move(read.error()));
  }
  return rules;
}

Result<KeySet> one_key(Result<TokenKey> key) {
  if (!key) {
    return Failure(std::move(key.error()));
  }
  KeySet set;
  set.keys.push_back(std::move(*key));
  return set;
}

Result<KeySet> read_key(std::optional<json::Value> key) {
  if (!key || !key->is_object() || key->size() != 1) {
    return Failure(bad_record("\"key\" is no object with one of jwk, jwks, pem, secret_b64"));
  }
  const auto& [form, value] = *key->members().begin();
  if (form == "jwk") {
    return one_key(read_jwk(value));
  }
  if (form == "jwks") {
    return read_jwks(value);
  }
  const auto text = value.as_string();
  if (form == "pem" && text) {
    return one_key(crypto::read_pem(*text).map(plain_key));
  }
  const auto octets = text ? encoding::base64_decode_any(*text) : std::nullopt;
  if (form == "secret_b64" && octets) {
    return read_key_text(*octets, {.secret = SecretEncoding::Raw});
  }
  return Failure(bad_record("\"key\" is no object with one of jwk, jwks, pem, secret_b64"));
}

std::optional<std::string> octets_of(json::Value object, const char* name) {
  const auto text = object.find(name);
  return text ? encoding::base64_decode_any(text->as_string().value_or("%")) : std::nullopt;
}

/// A bare signature or MAC.
Result<void> verify_raw(json::Value raw, const KeySet& keys) {
  const auto name = raw.find("alg");
  const auto message = octets_of(raw, "message_b64");
  const auto signature = octets_of(raw, "signature_b64");
  if (!name || !name->is_string() || !message || !signature) {
    return Failure(bad_record("\"raw\" needs alg, message_b64 and signature_b64"));
  }
  const auto algorithm = crypto::algorithm_named(*name->as_string());
  if (!algorithm) {
    return Failure(token_error("alg_not_allowed", "there is no such algorithm"));
  }
  if (keys.keys.size() != 1) {
    return Failure(token_error("kid_ambiguous", "a raw signature needs exactly one key"));
  }
  const TokenKey& key = keys.keys.front();
  if (!key.key.fits(*algorithm) || (key.algorithm && *key.algorithm != *algorithm)) {
    return Failure(token_error("alg_key_mismatch", "the algorithm is not that of the key"));
  }
  if (auto sized = key.key.check_size(*algorithm); !sized) {
    return sized;
  }
  if (!key.key.verify(*algorithm, *message, *signature)) {
    return Failure(token_error("signature_invalid", "the signature is wrong"));
  }
  return {};
}

/// The value without the white space between its parts, so that an answer stays one line. At most
/// 32 levels: the profiles of tokens see to that.
void write_compact(json::Writer& out, json::Value value) {
  if (value.is_object()) {
    out.begin_object();
    for (const auto& [name, member] : value.members()) {
      write_compact(out.key(name), member);
    }
    out.end_object();
  } else if (value.is_array()) {
    out.begin_array();
    for (const json::Value element : value.elements()) {
      write_compact(out, element);
    }
    out.end_array();
  } else {
    out.value(value);
  }
}

void write_verified(json::Writer& out, const VerifiedToken& verified) {
  write_compact(out.key("header"), verified.jws.header.root());
  if (verified.claims) {
    write_compact(out.key("claims"), verified.claims->root());
  } else {
    out.member("payload_b64", encoding::base64_encode(verified.jws.payload));
  }
}

/// Verifies, and writes `valid`, `code` and what belongs to a valid token.
Result<void> carry_out(json::Value record, Time now, json::Writer& out) {
  const auto keys = read_key(record.find("key"));
  if (!keys) {
    return Failure(keys.error());
  }
  if (const auto raw = record.find("raw")) {
    if (auto verified = verify_raw(*raw, *keys); !verified) {
      return verified;
    }
    out.member("valid", true).member("code", "ok");
    return {};
  }
  const auto token = record.find("token");
  if (!token || !token->is_string()) {
    return Failure(bad_record("\"token\" is no text"));
  }
  const auto rules = read_rules(record.find("options"), now);
  if (!rules) {
    return Failure(rules.error());
  }
  const auto verified = verify_token(*token->as_string(), *keys, *rules);
  if (!verified) {
    return Failure(verified.error());
  }
  out.member("valid", true).member("code", "ok");
  write_verified(out, *verified);
  return {};
}

}  // namespace

Result<bool> answer_verify_record(json::Value record, Time now, json::Writer& out) {
  const auto done = carry_out(record, now, out);
  if (!done && done.error().reason == "bad_record") {
    return Failure(done.error());
  }
  if (!done) {
    out.member("valid", false).member("code", done.error().reason);
  }
  return done.has_value();
}

}  // namespace edge::tokens
