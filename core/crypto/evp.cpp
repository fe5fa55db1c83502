// SPDX-License-Identifier: MIT
#include "core/crypto/evp.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/crypto/secret.h"

namespace edge::crypto::evp {
namespace {

using NumberMember = std::string KeyNumbers::*;

/// JWK member, OpenSSL parameter.
constexpr std::array<std::pair<NumberMember, const char*>, 8> kRsaParameters = {{
    {&KeyNumbers::n, OSSL_PKEY_PARAM_RSA_N},
    {&KeyNumbers::e, OSSL_PKEY_PARAM_RSA_E},
    {&KeyNumbers::d, OSSL_PKEY_PARAM_RSA_D},
    {&KeyNumbers::p, OSSL_PKEY_PARAM_RSA_FACTOR1},
    {&KeyNumbers::q, OSSL_PKEY_PARAM_RSA_FACTOR2},
    {&KeyNumbers::dp, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {&KeyNumbers::dq, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {&KeyNumbers::qi, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
}};

struct Curve {
  KeyKind kind;
  const char* name;
  std::size_t octets;
};
constexpr std::array<Curve, 3> kCurves = {{{KeyKind::P256, "prime256v1", 32},
                                           {KeyKind::P384, "secp384r1", 48},
                                           {KeyKind::P521, "secp521r1", 66}}};

/// A parameter list in the making, with the numbers it borrows.
class Parameters {
 public:
  Parameters() : builder_(OSSL_PARAM_BLD_new()) {}
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  Parameters(Parameters&&) = delete;
  Parameters& operator=(Parameters&&) = delete;
  ~Parameters() {
    OSSL_PARAM_BLD_free(builder_);
    OSSL_PARAM_free(list_);
    for (std::size_t i = 0; i < used_; ++i) {
      BN_clear_free(numbers_[i]);
    }
  }

  void number(const char* name, const std::string& octets) {
    BIGNUM* value = BN_secure_new();
    numbers_[used_++] = value;
    ok_ = ok_ && value != nullptr &&
          BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                    static_cast<int>(octets.size()),
                    value) != nullptr &&
          OSSL_PARAM_BLD_push_BN(builder_, name, value) == 1;
  }
  void text(const char* name, const char* value) {
    ok_ = ok_ && OSSL_PARAM_BLD_push_utf8_string(builder_, name, value, 0) == 1;
  }
  void octets(const char* name, const std::string& value) {
    ok_ = ok_ && OSSL_PARAM_BLD_push_octet_string(builder_, name, value.data(), value.size()) == 1;
  }

  /// The OpenSSL key, null when it refuses the numbers.
  KeyPointer make(const char* type, int selection) {
    list_ = ok_ ? OSSL_PARAM_BLD_to_param(builder_) : nullptr;
    EVP_PKEY* key = nullptr;
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr);
    if (list_ != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, selection, list_) != 1) {
      key = nullptr;
    }
    EVP_PKEY_CTX_free(context);
    return KeyPointer(key);
  }

 private:
  OSSL_PARAM_BLD* builder_;
  OSSL_PARAM* list_ = nullptr;
  std::array<BIGNUM*, 8> numbers_{};
  std::size_t used_ = 0;
  bool ok_ = true;
};

KeyPointer build_rsa(const KeyNumbers& numbers) {
  Parameters parameters;
  for (const auto& [member, name] : kRsaParameters) {
    if (!(numbers.*member).empty()) {
      parameters.number(name, numbers.*member);
    }
  }
  return parameters.make("RSA", numbers.d.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR);
}

KeyPointer build_curve(const KeyNumbers& numbers, const Curve& curve) {
  if (numbers.x.size() != curve.octets || numbers.y.size() != curve.octets ||
      (!numbers.d.empty() && numbers.d.size() != curve.octets)) {
    return nullptr;
  }
  const std::string point = '\x04' + numbers.x + numbers.y;  // borrowed until the key is made
  Parameters parameters;
  parameters.text(OSSL_PKEY_PARAM_GROUP_NAME, curve.name);
  parameters.octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  if (!numbers.d.empty()) {
    parameters.number(OSSL_PKEY_PARAM_PRIV_KEY, numbers.d);
  }
  KeyPointer key =
      parameters.make("EC", numbers.d.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR);
  if (!key) {
    return nullptr;
  }
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr);
  const bool sound = context != nullptr && EVP_PKEY_public_check(context) == 1 &&
                     (numbers.d.empty() || (EVP_PKEY_private_check(context) == 1 &&
                                            EVP_PKEY_pairwise_check(context) == 1));
  EVP_PKEY_CTX_free(context);
  return sound ? std::move(key) : nullptr;
}

const unsigned char* octets_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

KeyPointer build_ed25519(const KeyNumbers& numbers) {
  if (numbers.x.size() != 32 || (!numbers.d.empty() && numbers.d.size() != 32)) {
    return nullptr;
  }
  if (numbers.d.empty()) {
    return KeyPointer(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, octets_of(numbers.x), numbers.x.size()));
  }
  KeyPointer key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, octets_of(numbers.d), numbers.d.size()));
  const auto derived = key ? numbers_of(*key) : std::nullopt;
  return derived && derived->x == numbers.x ? std::move(key) : nullptr;
}

/// The number as octets, at least `length` of them; empty when the key has none of that name.
std::string number_of(const EVP_PKEY& key, const char* name, std::size_t length = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) {
    return {};
  }
  std::string octets(std::max(length, static_cast<std::size_t>(BN_num_bytes(number))), '\0');
  BN_bn2binpad(
      number, reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(octets.size()));
  BN_clear_free(number);
  return octets;
}

std::string raw_of(const EVP_PKEY& key,
                   int (*read)(const EVP_PKEY*, unsigned char*, std::size_t*)) {
  std::string octets(32, '\0');
  std::size_t length = octets.size();
  if (read(&key, reinterpret_cast<unsigned char*>(octets.data()), &length) != 1) {
    return {};
  }
  octets.resize(length);
  return octets;
}

}  // namespace

void FreeKey::operator()(evp_pkey_st* key) const {
  EVP_PKEY_free(key);
}

Error invalid_key(std::string_view message) {
  return {ErrorCode::InvalidArgument, std::string(message), {}, "key_invalid"};
}

Result<KeyPointer> build(const KeyNumbers& numbers) {
  KeyPointer key;
  if (numbers.kind == KeyKind::Rsa) {
    key = build_rsa(numbers);
  } else if (numbers.kind == KeyKind::Ed25519) {
    key = build_ed25519(numbers);
  }
  for (const Curve& curve : kCurves) {
    if (curve.kind == numbers.kind) {
      key = build_curve(numbers, curve);
    }
  }
  ERR_clear_error();  // a TLS connection of this thread must not see our refusals
  if (!key) {
    return Failure(invalid_key("the numbers of the key do not belong together"));
  }
  return key;
}

std::optional<KeyNumbers> numbers_of(const evp_pkey_st& key) {
  KeyNumbers numbers;
  const int type = EVP_PKEY_get_base_id(&key);
  if (type == EVP_PKEY_RSA) {
    numbers.kind = KeyKind::Rsa;
    for (const auto& [member, name] : kRsaParameters) {
      numbers.*member = number_of(key, name);
    }
    return numbers;
  }
  if (type == EVP_PKEY_ED25519) {
    numbers.kind = KeyKind::Ed25519;
    numbers.x = raw_of(key, EVP_PKEY_get_raw_public_key);
    numbers.d = raw_of(key, EVP_PKEY_get_raw_private_key);
    return numbers;
  }
  std::array<char, 64> group{};
  if (type != EVP_PKEY_EC ||
      EVP_PKEY_get_group_name(&key, group.data(), group.size(), nullptr) != 1) {
    return std::nullopt;
  }
  for (const Curve& curve : kCurves) {
    if (std::string_view(group.data()) == curve.name) {
      numbers.kind = curve.kind;
      numbers.x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, curve.octets);
      numbers.y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, curve.octets);
      if (std::string d = number_of(key, OSSL_PKEY_PARAM_PRIV_KEY, curve.octets); !d.empty()) {
        numbers.d = std::move(d);
      }
      return numbers;
    }
  }
  return std::nullopt;
}

}  // namespace edge::crypto::evp
