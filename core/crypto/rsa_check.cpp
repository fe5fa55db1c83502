// SPDX-License-Identifier: MIT
// Whether RSA numbers can be trusted to verify and to sign. OpenSSL's own check tests the primes
// for primality, which takes up to seconds for a large key; here only what an attacker or a broken
// generator can get wrong cheaply is judged: sizes, oddness, the ROCA fingerprint, and that the
// private members belong to the public ones.
//
// ROCA (CVE-2017-15361): the faulty generator made primes of the form k*M + 65537^a mod M with M a
// product of small primes, so the modulus is a power of 65537 modulo each of them. A sound modulus
// passes all of these tests with a probability below 2^-27.
#include <openssl/bn.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "core/crypto/evp.h"

namespace edge::crypto::evp {
namespace {

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

struct FreeContext {
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Context = std::unique_ptr<BN_CTX, FreeContext>;

Number to_number(std::string_view octets) {
  Number number(BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                          static_cast<int>(octets.size()),
                          nullptr));
  if (!number) {
    throw std::bad_alloc();
  }
  return number;
}

Number zero() {
  Number number(BN_new());
  if (!number) {
    throw std::bad_alloc();
  }
  return number;
}

void must(int outcome) {
  if (outcome != 1) {
    throw std::runtime_error("OpenSSL could not calculate");
  }
}

bool has_roca_fingerprint(const BIGNUM* modulus) {
  static constexpr std::array<unsigned, 38> kPrimes = {
      3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
      73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  for (const unsigned prime : kPrimes) {
    const auto wanted = static_cast<unsigned>(BN_mod_word(modulus, prime));
    unsigned power = 1;
    bool is_power = false;
    do {
      is_power = is_power || power == wanted;
      power = power * (65537U % prime) % prime;
    } while (power != 1);
    if (!is_power) {
      return false;
    }
  }
  return true;
}

Result<void> check_public(const BIGNUM* n, const BIGNUM* e) {
  if (BN_num_bits(n) < 2048) {
    return Failure({ErrorCode::InvalidArgument,
                    "the rsa modulus has fewer than 2048 bits",
                    "n",
                    "key_too_small"});
  }
  if (BN_num_bits(n) > 8192) {
    return Failure(invalid_key("the rsa modulus has more than 8192 bits"));
  }
  if (BN_is_odd(n) == 0) {
    return Failure(invalid_key("the rsa modulus is even"));
  }
  if (BN_is_odd(e) == 0 || BN_is_one(e) == 1 || BN_num_bits(e) > 64) {
    return Failure(invalid_key("the rsa exponent is no odd number from 3 to 64 bits"));
  }
  if (has_roca_fingerprint(n)) {
    return Failure(invalid_key("the rsa modulus comes from a faulty generator (ROCA)"));
  }
  return {};
}

/// e * d = 1 modulo `prime` - 1, and `exponent` = d modulo the same.
bool fits_prime(const BIGNUM* prime,
                const BIGNUM* e,
                const BIGNUM* d,
                const BIGNUM* exponent,
                BN_CTX* context) {
  const Number less = zero();
  const Number left = zero();
  if (BN_copy(less.get(), prime) == nullptr || BN_sub_word(less.get(), 1) != 1 ||
      BN_is_zero(less.get()) == 1) {
    return false;
  }
  must(BN_mod_mul(left.get(), e, d, less.get(), context));
  if (BN_is_one(left.get()) == 0) {
    return false;
  }
  must(BN_nnmod(left.get(), d, less.get(), context));
  return BN_cmp(left.get(), exponent) == 0;
}

bool private_fits(const KeyNumbers& numbers, const BIGNUM* n, const BIGNUM* e) {
  const Context context(BN_CTX_new());
  const Number d = to_number(numbers.d);
  const Number scratch = zero();
  if (BN_is_zero(d.get()) == 1 || BN_cmp(d.get(), n) >= 0) {
    return false;
  }
  if (numbers.p.empty()) {  // 2^(e*d) = 2
    must(BN_set_word(scratch.get(), 2));
    must(BN_mod_exp(scratch.get(), scratch.get(), e, n, context.get()));
    BN_set_flags(d.get(), BN_FLG_CONSTTIME);
    must(BN_mod_exp(scratch.get(), scratch.get(), d.get(), n, context.get()));
    return BN_is_word(scratch.get(), 2) == 1;
  }
  const Number p = to_number(numbers.p);
  const Number q = to_number(numbers.q);
  must(BN_mul(scratch.get(), p.get(), q.get(), context.get()));
  if (BN_cmp(scratch.get(), n) != 0 || BN_is_one(p.get()) == 1 || BN_is_one(q.get()) == 1) {
    return false;
  }
  must(BN_mod_mul(scratch.get(), to_number(numbers.qi).get(), q.get(), p.get(), context.get()));
  return BN_is_one(scratch.get()) == 1 &&
         fits_prime(p.get(), e, d.get(), to_number(numbers.dp).get(), context.get()) &&
         fits_prime(q.get(), e, d.get(), to_number(numbers.dq).get(), context.get());
}

}  // namespace

Result<void> check_rsa(const KeyNumbers& numbers) {
  if (numbers.n.size() > 1024 || numbers.e.size() > 8 || numbers.d.size() > 1024) {
    return Failure(invalid_key("the numbers of the rsa key are too long"));
  }
  const Number n = to_number(numbers.n);
  const Number e = to_number(numbers.e);
  if (auto sound = check_public(n.get(), e.get()); !sound) {
    return sound;
  }
  if (numbers.d.empty()) {
    return {};
  }
  const bool any = !(numbers.p + numbers.q + numbers.dp + numbers.dq + numbers.qi).empty();
  const bool all = !numbers.p.empty() && !numbers.q.empty() && !numbers.dp.empty() &&
                   !numbers.dq.empty() && !numbers.qi.empty();
  if (any != all || numbers.p.size() > 1024 || numbers.q.size() > 1024) {
    return Failure(invalid_key("an rsa key has all of p, q, dp, dq and qi or none"));
  }
  if (!private_fits(numbers, n.get(), e.get())) {
    return Failure(invalid_key("the private part does not fit the public part"));
  }
  return {};
}

}  // namespace edge::crypto::evp
