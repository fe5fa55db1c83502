// SPDX-License-Identifier: MIT
// Access tokens per second of one processor: mint and verify with claims, beside what OpenSSL alone
// needs for the signature over a token of that size in the same run; and logins per second on all
// cores (identity spec 8).
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/crypto/password.h"
#include "core/tokens/issuer.h"

namespace edge {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown processor";
}

/// Processor time of this thread, which other work on the machine does not lengthen.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Per second of processor time; best of three runs of half a second.
template <typename Operation>
double per_second(const Operation& operation) {
  double best = 0;
  for (int run = 0; run < 3; ++run) {
    const double begin = thread_seconds();
    std::size_t done = 0;
    double taken = 0;
    while (taken < 0.5) {
      for (int i = 0; i < 50; ++i) {
        operation();
      }
      done += 50;
      taken = thread_seconds() - begin;
    }
    best = std::max(best, static_cast<double>(done) / taken);
  }
  return best;
}

void print(const std::string& name, double ours, double openssl, std::size_t octets) {
  std::printf("%-14s %9.0f per second, OpenSSL alone %9.0f (%.0f %%), token of %zu octets\n",
              name.c_str(),
              ours,
              openssl,
              100 * ours / openssl,
              octets);
}

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

const unsigned char* octets_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

double openssl_mac(const std::string& secret, const std::string& message) {
  return per_second([&] {
    unsigned char tag[32];  // NOLINT(modernize-avoid-c-arrays): as the C function takes it
    must(HMAC(EVP_sha256(),
              secret.data(),
              static_cast<int>(secret.size()),
              octets_of(message),
              message.size(),
              tag,
              nullptr) != nullptr);
  });
}

/// One-shot verification or signature with a key of that kind.
double openssl_signature(const char* curve, bool verifies, const std::string& message) {
  EVP_PKEY* key =
      curve == nullptr ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519") : EVP_EC_gen(curve);
  const EVP_MD* digest = curve == nullptr ? nullptr : EVP_sha256();
  const auto sign = [&] {
    std::string signature(128, '\0');
    std::size_t size = signature.size();
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    must(EVP_DigestSignInit(context, nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestSign(context,
                        reinterpret_cast<unsigned char*>(signature.data()),
                        &size,
                        octets_of(message),
                        message.size()) == 1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
  };
  const std::string signature = sign();
  const double rate = verifies ? per_second([&] {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    must(EVP_DigestVerifyInit(context, nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(
             context, octets_of(signature), signature.size(), octets_of(message), message.size()) ==
             1);
    EVP_MD_CTX_free(context);
  })
                               : per_second([&] { (void)sign(); });
  EVP_PKEY_free(key);
  return rate;
}

const std::string kSecret = "0123456789abcdef0123456789abcdef";

/// The rate of OpenSSL for the signature of an algorithm.
double openssl_alone(const std::string& name, bool verifies, const std::string& message) {
  if (name == "HS256") {
    return openssl_mac(kSecret, message);
  }
  return openssl_signature(name == "ES256" ? "P-256" : nullptr, verifies, message);
}

void run(const std::string& name, tokens::SigningKeys keys) {
  const SystemClock clock;
  SystemRandom random;
  Ids ids(random);
  const tokens::Issuer issuer(std::move(keys), {}, clock, ids);
  const tokens::Subject subject{.account = {"8f6f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a11"},
                                .session = {"6a5f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a12"},
                                .email = "ada@example.com",
                                .name = "Ada",
                                .roles = {"admin"}};
  const std::string token = issuer.mint(subject);
  const std::string signed_text = token.substr(0, token.rfind('.'));
  const tokens::JwtRules rules{.jws = {.algorithms = {{issuer.keys().algorithm}}},
                               .issuers = {"edge-platform"},
                               .audiences = {"edge-platform-api"},
                               .now = to_ms(clock.now()) / 1000};
  const double verification = openssl_alone(name, true, signed_text);
  print(name + " mint",
        per_second([&] { (void)issuer.mint(subject); }),
        openssl_alone(name, false, signed_text),
        token.size());
  print(name + " verify",
        per_second([&] { must(issuer.verify(token).has_value()); }),
        verification,
        token.size());
  print(name + " any key",
        per_second(
            [&] { must(tokens::verify_token(token, issuer.keys().verifiers, rules).has_value()); }),
        verification,
        token.size());
}

void run_logins() {
  const crypto::PasswordCost cost;
  const std::string stored = crypto::hash_password("correct horse battery", cost);
  std::atomic<int> done = 0;
  const auto begin = std::chrono::steady_clock::now();
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < cores; ++i) {
      threads.emplace_back([&] {
        while (std::chrono::steady_clock::now() - begin < std::chrono::seconds(3)) {
          must(crypto::verify_password(stored, "correct horse battery"));
          ++done;
        }
      });
    }
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  std::printf("%-14s %9.1f per second on %u cores, argon2id of %u KiB\n",
              "login",
              done / taken.count(),
              cores,
              cost.memory_kib);
}

int run_all() {
  std::printf("%s\n", processor().c_str());
  const SystemClock clock;
  run("HS256", *tokens::SigningKeys::of_secret(kSecret));
  for (const auto& [name, kind] :
       {std::pair{"EdDSA", crypto::KeyKind::Ed25519}, {"ES256", crypto::KeyKind::P256}}) {
    tokens::KeyRing ring;
    if (!ring.add(tokens::plain_key(*crypto::Key::generate(kind)), clock.now())) {
      return 1;
    }
    run(name, *tokens::SigningKeys::of_ring(ring, clock.now()));
  }
  run_logins();
  return 0;
}

}  // namespace
}  // namespace edge

int main() {
  return edge::run_all();
}
