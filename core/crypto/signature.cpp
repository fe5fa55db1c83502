// SPDX-License-Identifier: MIT
#include "core/crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/random.h"
#include "core/crypto/evp.h"
#include "core/crypto/hmac_sha256.h"
#include "core/crypto/secret.h"

namespace edge::crypto {
namespace {

const char* digest_name(Algorithm algorithm) {
  switch (hash_of(algorithm)) {
    case Hash::Sha384:
      return "SHA384";
    case Hash::Sha512:
      return "SHA512";
    case Hash::Sha1:
    case Hash::Sha256:
      return "SHA256";
  }
  return "SHA256";
}

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using MacPointer = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestPointer = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

struct FreeEcdsa {
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using EcdsaPointer = std::unique_ptr<ECDSA_SIG, FreeEcdsa>;

[[noreturn]] void refuse() {
  throw std::runtime_error("OpenSSL refused a signature operation");
}

/// A MAC context that knows its key; each use works on a copy, which costs less than setting the
/// key again.
MacPointer keyed_mac(Algorithm algorithm, std::string_view secret) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacPointer context(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);
  std::string digest = digest_name(algorithm);
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  if (!context ||
      EVP_MAC_init(context.get(), octets_of(secret), secret.size(), parameters.data()) != 1) {
    refuse();
  }
  return context;
}

/// Place of HS384 and HS512 in `KeyState::macs`.
std::size_t mac_index(Algorithm algorithm) {
  return algorithm == Algorithm::HS384 ? 0 : 1;
}

/// Raw r || s to the DER form that OpenSSL reads; empty when r or s is out of shape.
std::string der_of_raw(std::string_view raw) {
  const auto half = static_cast<int>(raw.size() / 2);
  BIGNUM* r = BN_bin2bn(octets_of(raw), half, nullptr);
  BIGNUM* s = BN_bin2bn(octets_of(raw) + half, half, nullptr);
  const EcdsaPointer signature(ECDSA_SIG_new());
  if (ECDSA_SIG_set0(signature.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  std::string der(static_cast<std::size_t>(std::max(0, i2d_ECDSA_SIG(signature.get(), nullptr))),
                  '\0');
  unsigned char* out = octets_of(der);
  i2d_ECDSA_SIG(signature.get(), &out);
  return der;
}

std::string raw_of_der(std::string_view der, std::size_t size) {
  const unsigned char* in = octets_of(der);
  const EcdsaPointer signature(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
  std::string raw(size, '\0');
  const auto half = static_cast<int>(size / 2);
  if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), octets_of(raw), half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), octets_of(raw) + half, half) != half) {
    refuse();
  }
  return raw;
}

/// PSS with MGF1 of the same hash and a salt as long as the hash, nothing else.
bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) {
  if (!is_pss(algorithm)) {
    return true;
  }
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

struct KeyState {
  KeyKind kind = KeyKind::Secret;
  bool is_private = false;
  bool may_sign = false;  // RSA exponents below 65537 only verify
  Secret secret;
  std::optional<HmacSha256> hs256;  // nothing where the secret is too short; likewise the next two
  std::array<MacPointer, 2> macs;   // HS384, HS512
  evp::KeyPointer key;
};

KeyNumbers::~KeyNumbers() {
  for (std::string* member : {&k, &d, &p, &q, &dp, &dq, &qi}) {
    wipe(*member);
  }
}

Result<Key> Key::make(const KeyNumbers& numbers) {
  auto state = std::make_shared<KeyState>();
  state->kind = numbers.kind;
  state->is_private = numbers.kind == KeyKind::Secret || !numbers.d.empty();
  state->may_sign = state->is_private;
  if (numbers.kind == KeyKind::Secret) {
    state->secret = Secret(numbers.k);
    if (numbers.k.size() >= shortest_secret(Algorithm::HS256)) {
      state->hs256.emplace(numbers.k);
    }
    for (const Algorithm algorithm : {Algorithm::HS384, Algorithm::HS512}) {
      if (numbers.k.size() >= shortest_secret(algorithm)) {
        state->macs.at(mac_index(algorithm)) = keyed_mac(algorithm, numbers.k);
      }
    }
    return Key(std::move(state));
  }
  if (numbers.kind == KeyKind::Rsa) {
    if (auto sound = evp::check_rsa(numbers); !sound) {
      return Failure(std::move(sound.error()));
    }
    const bool large = numbers.e.size() > 3 || numbers.e >= std::string("\x01\x00\x01", 3);
    state->may_sign = state->is_private && numbers.e.size() >= 3 && large;
  }
  auto key = evp::build(numbers);
  if (!key) {
    return Failure(std::move(key.error()));
  }
  state->key = std::move(*key);
  return Key(std::move(state));
}

Result<Key> Key::generate(KeyKind kind, unsigned bits, std::size_t secret_bytes) {
  if (kind == KeyKind::Secret) {
    KeyNumbers numbers;
    numbers.k.resize(secret_bytes);
    SystemRandom().fill({reinterpret_cast<std::uint8_t*>(numbers.k.data()), numbers.k.size()});
    return make(numbers);
  }
  if (kind == KeyKind::Rsa && (bits < 2048 || bits > 8192)) {
    return Failure(evp::invalid_key("an rsa key has 2048 to 8192 bits"));
  }
  const evp::KeyPointer key(kind == KeyKind::Rsa    ? EVP_RSA_gen(bits)
                            : kind == KeyKind::P256 ? EVP_EC_gen("P-256")
                            : kind == KeyKind::P384 ? EVP_EC_gen("P-384")
                            : kind == KeyKind::P521
                                ? EVP_EC_gen("P-521")
                                : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const auto numbers = key ? evp::numbers_of(*key) : std::nullopt;
  if (!numbers) {
    refuse();
  }
  return make(*numbers);
}

KeyKind Key::kind() const {
  return state_->kind;
}

bool Key::is_private() const {
  return state_->is_private;
}

bool Key::fits(Algorithm algorithm) const {
  switch (state_->kind) {
    case KeyKind::Secret:
      return is_symmetric(algorithm);
    case KeyKind::Rsa:
      return algorithm >= Algorithm::RS256 && algorithm <= Algorithm::PS512;
    case KeyKind::P256:
    case KeyKind::P384:
    case KeyKind::P521:
    case KeyKind::Ed25519:
      return algorithm == only_algorithm();
  }
  return false;
}

std::optional<Algorithm> Key::only_algorithm() const {
  switch (state_->kind) {
    case KeyKind::P256:
      return Algorithm::ES256;
    case KeyKind::P384:
      return Algorithm::ES384;
    case KeyKind::P521:
      return Algorithm::ES512;
    case KeyKind::Ed25519:
      return Algorithm::EdDSA;
    case KeyKind::Secret:
    case KeyKind::Rsa:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<void> Key::check_size(Algorithm algorithm) const {
  if (state_->kind == KeyKind::Secret && state_->secret.size() < shortest_secret(algorithm)) {
    return Failure({ErrorCode::InvalidArgument,
                    std::string("the secret is too short for ") + name_of(algorithm) + ": " +
                        std::to_string(shortest_secret(algorithm)) + " octets are needed",
                    {},
                    "key_too_small"});
  }
  return {};
}

bool Key::verify(Algorithm algorithm, std::string_view message, std::string_view signature) const {
  const std::size_t expected = signature_bytes(algorithm);
  if (!fits(algorithm) || (expected != 0 && signature.size() != expected)) {
    return false;
  }
  if (is_symmetric(algorithm)) {
    if (algorithm == Algorithm::HS256 && state_->hs256) {
      const HmacSha256::Tag tag = state_->hs256->tag(message);
      return constant_time_equal({reinterpret_cast<const char*>(tag.data()), tag.size()},
                                 signature);
    }
    const auto mac = sign(algorithm, message);
    return mac && constant_time_equal(*mac, signature);
  }
  if (state_->kind == KeyKind::Rsa &&
      signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get()))) {
    return false;
  }
  const bool ed25519 = algorithm == Algorithm::EdDSA;
  const DigestPointer context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* details = nullptr;  // owned by the context
  if (!context ||
      EVP_DigestVerifyInit_ex(context.get(),
                              &details,
                              ed25519 ? nullptr : digest_name(algorithm),
                              nullptr,
                              nullptr,
                              state_->key.get(),
                              nullptr) != 1 ||
      !set_padding(details, algorithm)) {
    refuse();
  }
  const std::string der = is_ecdsa(algorithm) ? der_of_raw(signature) : std::string();
  const std::string_view shown = is_ecdsa(algorithm) ? std::string_view(der) : signature;
  return EVP_DigestVerify(
             context.get(), octets_of(shown), shown.size(), octets_of(message), message.size()) ==
         1;
}

Result<std::string> Key::sign(Algorithm algorithm, std::string_view message) const {
  if (!fits(algorithm)) {
    return Failure({ErrorCode::InvalidArgument,
                    std::string("the key is not for ") + name_of(algorithm),
                    {},
                    "alg_key_mismatch"});
  }
  if (auto sized = check_size(algorithm); !sized) {
    return Failure(std::move(sized.error()));
  }
  if (algorithm == Algorithm::HS256) {
    const HmacSha256::Tag tag = state_->hs256->tag(message);
    return std::string(tag.begin(), tag.end());
  }
  if (is_symmetric(algorithm)) {
    const MacPointer context(EVP_MAC_CTX_dup(state_->macs.at(mac_index(algorithm)).get()));
    std::string mac(signature_bytes(algorithm), '\0');
    std::size_t size = 0;
    if (!context || EVP_MAC_update(context.get(), octets_of(message), message.size()) != 1 ||
        EVP_MAC_final(context.get(), octets_of(mac), &size, mac.size()) != 1) {
      refuse();
    }
    return mac;
  }
  if (!state_->is_private) {
    return Failure(evp::invalid_key("the key has no private part, so it cannot sign"));
  }
  if (!state_->may_sign) {
    return Failure({ErrorCode::InvalidArgument,
                    "an rsa key that signs needs an exponent of at least 65537",
                    "e",
                    "key_too_small"});
  }
  const bool ed25519 = algorithm == Algorithm::EdDSA;
  const DigestPointer context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* details = nullptr;  // owned by the context
  if (!context ||
      EVP_DigestSignInit_ex(context.get(),
                            &details,
                            ed25519 ? nullptr : digest_name(algorithm),
                            nullptr,
                            nullptr,
                            state_->key.get(),
                            nullptr) != 1 ||
      !set_padding(details, algorithm)) {
    refuse();
  }
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())), '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSign(
          context.get(), octets_of(signature), &size, octets_of(message), message.size()) != 1) {
    refuse();
  }
  signature.resize(size);
  return is_ecdsa(algorithm) ? raw_of_der(signature, signature_bytes(algorithm)) : signature;
}

KeyNumbers Key::numbers() const {
  if (state_->kind == KeyKind::Secret) {
    KeyNumbers numbers;
    numbers.k = std::string(state_->secret.view());
    return numbers;
  }
  auto numbers = evp::numbers_of(*state_->key);
  if (!numbers) {
    refuse();
  }
  return std::move(*numbers);
}

std::string Key::private_der() const {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(state_->key.get());
  unsigned char* octets = nullptr;
  const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &octets);
  PKCS8_PRIV_KEY_INFO_free(info);
  if (size < 0) {
    refuse();
  }
  std::string der(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_clear_free(octets, static_cast<std::size_t>(size));
  return der;
}

std::string Key::public_der() const {
  unsigned char* octets = nullptr;
  const int size = i2d_PUBKEY(state_->key.get(), &octets);
  if (size < 0) {
    refuse();
  }
  std::string der(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

}  // namespace edge::crypto
