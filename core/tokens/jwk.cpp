// SPDX-License-Identifier: MIT
#include "core/tokens/jwk.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <utility>

#include "core/crypto/digest.h"
#include "core/crypto/pem.h"
#include "core/crypto/secret.h"
#include "core/encoding/base64.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::tokens {
namespace {

using crypto::Algorithm;
using crypto::Key;
using crypto::KeyKind;
using crypto::KeyNumbers;

constexpr std::uint32_t kMaxKeys = 1000;
constexpr std::size_t kMaxKidBytes = 256;

using Number = std::string KeyNumbers::*;
struct NamedNumber {
  const char* name;
  Number number;
};

constexpr std::array<NamedNumber, 11> kNumbers = {{{"k", &KeyNumbers::k},
                                                   {"n", &KeyNumbers::n},
                                                   {"e", &KeyNumbers::e},
                                                   {"x", &KeyNumbers::x},
                                                   {"y", &KeyNumbers::y},
                                                   {"d", &KeyNumbers::d},
                                                   {"p", &KeyNumbers::p},
                                                   {"q", &KeyNumbers::q},
                                                   {"dp", &KeyNumbers::dp},
                                                   {"dq", &KeyNumbers::dq},
                                                   {"qi", &KeyNumbers::qi}}};

/// What `kty` and `crv` say and which members such a key has: first the public ones.
struct Kind {
  KeyKind kind;
  std::string_view type;
  std::string_view curve;
  std::string_view needed;    // letters of one-letter members
  std::string_view optional;  // blank-separated
};
constexpr std::array<Kind, 6> kKinds = {{
    {KeyKind::Secret, "oct", "", "k", ""},
    {KeyKind::Rsa, "RSA", "", "ne", "d p q dp dq qi"},
    {KeyKind::P256, "EC", "P-256", "xy", "d"},
    {KeyKind::P384, "EC", "P-384", "xy", "d"},
    {KeyKind::P521, "EC", "P-521", "xy", "d"},
    {KeyKind::Ed25519, "OKP", "Ed25519", "x", "d"},
}};

Error invalid(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), "key_invalid"};
}

std::string_view text_of(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_string().value_or("") : std::string_view();
}

const Kind* kind_of(json::Value jwk) {
  for (const Kind& kind : kKinds) {
    if (text_of(jwk, "kty") == kind.type && text_of(jwk, "crv") == kind.curve) {
      return &kind;
    }
  }
  return nullptr;
}

const Kind& row_of(KeyKind kind) {
  return *std::find_if(
      kKinds.begin(), kKinds.end(), [&](const Kind& row) { return row.kind == kind; });
}

bool is_listed(std::string_view list, std::string_view name) {
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(' ', begin), list.size());
    if (list.substr(begin, end - begin) == name) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

Result<KeyNumbers> read_numbers(json::Value jwk, const Kind& kind) {
  KeyNumbers numbers;
  numbers.kind = kind.kind;
  for (const auto& [name, number] : kNumbers) {
    const std::string_view member = name;
    const bool needed = member.size() == 1 && kind.needed.find(member) != std::string_view::npos;
    if (!needed && !is_listed(kind.optional, member)) {
      continue;
    }
    const auto value = jwk.find(member);
    if (!value) {
      if (needed) {
        return Failure(
            invalid("the key has no member \"" + std::string(member) + "\"", std::string(member)));
      }
      continue;
    }
    auto octets = encoding::base64url_decode(value->as_string().value_or("="));
    if (!octets || octets->empty()) {
      return Failure(invalid("\"" + std::string(member) + "\" of the key is no base64url text",
                             std::string(member)));
    }
    numbers.*number = std::move(*octets);
  }
  if (!numbers.n.empty() && numbers.n.front() == '\0') {
    return Failure(invalid("\"n\" of the key begins with a zero octet", "n"));
  }
  if (jwk.find("oth")) {
    return Failure(invalid("rsa keys of more than two primes are not supported", "oth"));
  }
  return numbers;
}

/// `use` and `key_ops` allow the purpose.
Result<void> check_use(json::Value jwk, Purpose purpose) {
  if (jwk.find("use") && text_of(jwk, "use") != "sig") {
    return Failure(invalid("the key is not for signatures", "use"));
  }
  const auto operations = jwk.find("key_ops");
  if (!operations) {
    return {};
  }
  bool found = false;
  for (const json::Value operation : operations->elements()) {
    const auto name = operation.as_string();
    if (!name) {
      return Failure(invalid("\"key_ops\" of the key is no list of texts", "key_ops"));
    }
    found = found || *name == (purpose == Purpose::Sign ? "sign" : "verify");
  }
  if (!found) {
    return Failure(invalid("\"key_ops\" of the key does not hold the operation", "key_ops"));
  }
  return {};
}

/// True for a key of a set that is not meant for us: another kind, curve, algorithm or use.
bool is_foreign(json::Value jwk) {
  const auto algorithm = jwk.find("alg");
  return kind_of(jwk) == nullptr || (jwk.find("use") && text_of(jwk, "use") != "sig") ||
         (algorithm && !crypto::algorithm_named(text_of(jwk, "alg")));
}

Result<void> check_set(json::Value set) {
  const auto keys = set.find("keys");
  if (!keys || !keys->is_array() || keys->size() > kMaxKeys) {
    return Failure(invalid("a key set has a member \"keys\", a list of at most 1000 keys", "keys"));
  }
  std::set<std::string_view> ids;
  bool secrets = false;
  bool pairs = false;
  for (const json::Value jwk : keys->elements()) {
    if (!jwk.is_object()) {
      return Failure(invalid("a key of the set is no object", "keys"));
    }
    (text_of(jwk, "kty") == "oct" ? secrets : pairs) = true;
    const auto id = jwk.find("kid");
    if (id && !ids.insert(id->as_string().value_or("")).second) {
      return Failure(invalid("two keys of the set have the same kid", "keys"));
    }
  }
  if (secrets && pairs) {
    return Failure({ErrorCode::InvalidArgument,
                    "a key set holds secrets or key pairs, not both",
                    "keys",
                    "keyset_mixed"});
  }
  return {};
}

Result<KeySet> read_secret(std::string_view text, SecretEncoding encoding) {
  std::optional<std::string> octets;
  if (encoding == SecretEncoding::Raw) {
    octets = std::string(text);
  } else {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
      text.remove_suffix(1);
    }
    octets = encoding == SecretEncoding::Hex      ? encoding::hex_decode(text)
             : encoding == SecretEncoding::Base64 ? encoding::base64_decode(text)
                                                  : encoding::base64url_decode(text);
  }
  if (!octets || octets->empty()) {
    return Failure(invalid("the secret is empty or not written in the encoding that was named"));
  }
  KeyNumbers numbers;
  numbers.k = std::move(*octets);
  auto key = Key::make(numbers);
  if (!key) {
    return Failure(std::move(key.error()));
  }
  KeySet set;
  set.keys.push_back(plain_key(std::move(*key)));
  return set;
}

void write_number(json::Writer& out, const KeyNumbers& numbers, const NamedNumber& named) {
  if (const std::string& octets = numbers.*named.number; !octets.empty()) {
    std::string text = encoding::base64url_encode(octets);
    out.member(named.name, text);
    crypto::wipe(text);
  }
}

}  // namespace

TokenKey plain_key(crypto::Key key) {
  const auto algorithm = key.only_algorithm();
  return {.key = std::move(key), .algorithm = algorithm};
}

Result<TokenKey> read_jwk(json::Value jwk, Purpose purpose) {
  const Kind* kind = jwk.is_object() ? kind_of(jwk) : nullptr;
  if (kind == nullptr) {
    return Failure(invalid("the key is of a kind that is not used for signatures here", "kty"));
  }
  if (auto usable = check_use(jwk, purpose); !usable) {
    return Failure(std::move(usable.error()));
  }
  const auto numbers = read_numbers(jwk, *kind);
  if (!numbers) {
    return Failure(numbers.error());
  }
  auto key = Key::make(*numbers);
  if (!key) {
    return Failure(std::move(key.error()));
  }
  TokenKey read = plain_key(std::move(*key));
  if (const auto id = jwk.find("kid")) {
    const auto text = id->as_string();
    if (!text || text->size() > kMaxKidBytes) {
      return Failure(invalid("\"kid\" of the key is no text of at most 256 octets", "kid"));
    }
    read.id = std::string(*text);
  }
  if (jwk.find("alg")) {
    read.algorithm = crypto::algorithm_named(text_of(jwk, "alg"));
    if (!read.algorithm || !read.key.fits(*read.algorithm)) {
      return Failure(invalid("\"alg\" of the key does not fit its kind", "alg"));
    }
  }
  return read;
}

Result<KeySet> read_jwks(json::Value set, Purpose purpose) {
  if (auto sound = check_set(set); !sound) {
    return Failure(std::move(sound.error()));
  }
  KeySet read{.is_set = true};
  for (const json::Value jwk : set.find("keys")->elements()) {
    if (is_foreign(jwk)) {
      continue;
    }
    auto key = read_jwk(jwk, purpose);
    if (!key) {
      return Failure(std::move(key.error()));
    }
    read.keys.push_back(std::move(*key));
  }
  return read;
}

Result<KeySet> read_key_text(std::string_view text, const KeyTextOptions& options) {
  if (options.secret) {
    return read_secret(text, *options.secret);
  }
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    const auto document = json::Document::parse(text, json::kStrict);
    if (!document) {
      return Failure(invalid("the key file is no proper JSON: " + document.error().message));
    }
    if (document->root().find("keys")) {
      return read_jwks(document->root(), options.purpose);
    }
    auto key = read_jwk(document->root(), options.purpose);
    if (!key) {
      return Failure(std::move(key.error()));
    }
    KeySet set;
    set.keys.push_back(std::move(*key));
    return set;
  }
  if (crypto::looks_like_pem(text)) {
    auto key = crypto::read_pem(text, options.passphrase);
    if (!key) {
      return Failure(std::move(key.error()));
    }
    KeySet set;
    set.keys.push_back(plain_key(std::move(*key)));
    return set;
  }
  return read_secret(text, SecretEncoding::Raw);
}

std::string write_jwk(const TokenKey& key, bool with_private) {
  const KeyNumbers numbers = key.key.numbers();
  const Kind& kind = row_of(numbers.kind);
  if (numbers.kind == KeyKind::Secret && !with_private) {
    throw std::logic_error("a secret has no public form");
  }
  json::Writer out;
  out.begin_object().member("kty", kind.type);
  if (!kind.curve.empty()) {
    out.member("crv", kind.curve);
  }
  for (const NamedNumber& named : kNumbers) {
    const bool is_public =
        numbers.kind != KeyKind::Secret && kind.needed.find(named.name) != std::string_view::npos;
    if (is_public || with_private) {
      write_number(out, numbers, named);
    }
  }
  if (key.algorithm) {
    out.member("alg", crypto::name_of(*key.algorithm));
  }
  out.member("use", "sig");
  if (key.id) {
    out.member("kid", *key.id);
  }
  return out.end_object().take();
}

std::string thumbprint(const crypto::Key& key) {
  const KeyNumbers numbers = key.numbers();
  const Kind& kind = row_of(numbers.kind);
  json::Writer out;
  out.begin_object();  // members in the order of their names, RFC 7638 section 3.2
  if (!kind.curve.empty()) {
    out.member("crv", kind.curve);
  }
  if (numbers.kind == KeyKind::Rsa) {
    out.member("e", encoding::base64url_encode(numbers.e));
  }
  if (numbers.kind == KeyKind::Secret) {
    out.member("k", encoding::base64url_encode(numbers.k));
  }
  out.member("kty", kind.type);
  for (const auto& [name, octets] :
       {std::pair{"n", &numbers.n}, {"x", &numbers.x}, {"y", &numbers.y}}) {
    if (!octets->empty()) {
      out.member(name, encoding::base64url_encode(*octets));
    }
  }
  return encoding::base64url_encode(crypto::sha256(out.end_object().text()));
}

}  // namespace edge::tokens
