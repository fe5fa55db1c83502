// SPDX-License-Identifier: MIT
#include "core/crypto/signature.h"

#include <catch2/catch.hpp>

#include "core/crypto/pem.h"
#include "tests/support/vectors.h"

namespace edge::crypto {
namespace {

std::string flip(std::string text, std::size_t position) {
  text[position] = static_cast<char>(text[position] ^ 1);
  return text;
}

TEST_CASE("every algorithm verifies what it signed and nothing else", "[crypto]") {
  struct Row {
    KeyKind kind;
    Algorithm algorithm;
    std::size_t bytes;
  };
  const auto row = GENERATE(Row{KeyKind::Secret, Algorithm::HS256, 32},
                            Row{KeyKind::Secret, Algorithm::HS384, 48},
                            Row{KeyKind::Secret, Algorithm::HS512, 64},
                            Row{KeyKind::Rsa, Algorithm::RS256, 256},
                            Row{KeyKind::Rsa, Algorithm::PS512, 256},
                            Row{KeyKind::P256, Algorithm::ES256, 64},
                            Row{KeyKind::P384, Algorithm::ES384, 96},
                            Row{KeyKind::P521, Algorithm::ES512, 132},
                            Row{KeyKind::Ed25519, Algorithm::EdDSA, 64});
  const auto key = Key::generate(row.kind, 2048, 64);
  const auto other = Key::generate(row.kind, 2048, 64);
  REQUIRE(key);

  const auto signature = key->sign(row.algorithm, "message");

  REQUIRE(signature);
  INFO(name_of(row.algorithm));
  CHECK(signature->size() == row.bytes);
  CHECK(key->verify(row.algorithm, "message", *signature));
  CHECK_FALSE(key->verify(row.algorithm, "messagf", *signature));
  CHECK_FALSE(key->verify(row.algorithm, "message", flip(*signature, 0)));
  CHECK_FALSE(key->verify(row.algorithm, "message", flip(*signature, row.bytes - 1)));
  CHECK_FALSE(key->verify(row.algorithm, "message", signature->substr(1)));
  CHECK_FALSE(key->verify(row.algorithm, "message", *signature + '\0'));
  CHECK_FALSE(key->verify(row.algorithm, "message", std::string(row.bytes, '\0')));
  CHECK_FALSE(other->verify(row.algorithm, "message", *signature));
}

TEST_CASE("a key survives the way through its numbers and through PEM", "[crypto]") {
  const auto kind =
      GENERATE(KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Ed25519);
  const auto key = Key::generate(kind);
  REQUIRE(key);
  const Algorithm algorithm = key->only_algorithm().value_or(Algorithm::RS256);
  const std::string signature = *key->sign(algorithm, "message");

  const auto from_numbers = Key::make(key->numbers());
  const auto from_private = read_pem("some words\n" + write_private_pem(*key));
  const auto from_public = read_pem(write_public_pem(*key));

  REQUIRE(from_numbers);
  REQUIRE(from_private);
  REQUIRE(from_public);
  CHECK(from_numbers->verify(algorithm, "message", signature));
  CHECK(key->verify(algorithm, "message", *from_private->sign(algorithm, "message")));
  CHECK(from_public->verify(algorithm, "message", signature));
  CHECK_FALSE(from_public->is_private());
  CHECK(from_public->sign(algorithm, "message").error().reason == "key_invalid");
}

TEST_CASE("private members that belong to another key are refused", "[crypto]") {
  const auto kind = GENERATE(KeyKind::Rsa, KeyKind::P256, KeyKind::P521, KeyKind::Ed25519);
  KeyNumbers mixed = Key::generate(kind)->numbers();
  const KeyNumbers other = Key::generate(kind)->numbers();
  mixed.d = other.d;

  CHECK(Key::make(mixed).error().reason == "key_invalid");

  if (kind == KeyKind::Rsa) {
    for (std::string* member : {&mixed.p, &mixed.q, &mixed.dp, &mixed.dq, &mixed.qi}) {
      member->clear();
    }
    CHECK(Key::make(mixed).error().reason == "key_invalid");
    KeyNumbers bare = Key::generate(kind)->numbers();
    bare.qi.clear();
    CHECK(Key::make(bare).error().reason == "key_invalid");
    for (std::string* member : {&bare.p, &bare.q, &bare.dp, &bare.dq}) {
      member->clear();
    }
    const auto without_primes = Key::make(bare);
    REQUIRE(without_primes);
    CHECK(without_primes->sign(Algorithm::PS256, "message"));
  }
}

TEST_CASE("an rsa modulus with the ROCA fingerprint is refused", "[crypto]") {
  // 65537^k as a number is its own power of 65537 modulo every small prime.
  KeyNumbers numbers;
  numbers.kind = KeyKind::Rsa;
  numbers.e = std::string("\x01\x00\x01", 3);
  numbers.n = std::string("\x01", 1);
  while (numbers.n.size() < 260) {  // times 65537: shift by two octets and add
    std::string next = numbers.n + std::string(2, '\0');
    unsigned carry = 0;
    for (std::size_t i = 0; i < next.size(); ++i) {
      const std::size_t at = next.size() - 1 - i;
      const unsigned added = i < numbers.n.size()
                                 ? static_cast<unsigned char>(numbers.n[numbers.n.size() - 1 - i])
                                 : 0U;
      const unsigned sum = static_cast<unsigned char>(next[at]) + added + carry;
      next[at] = static_cast<char>(sum & 0xFFU);
      carry = sum >> 8U;
    }
    numbers.n = next;
  }

  const auto key = Key::make(numbers);

  REQUIRE_FALSE(key);
  CHECK(key.error().message.find("ROCA") != std::string::npos);
}

TEST_CASE("keys are bound to their algorithms and sizes", "[crypto]") {
  CHECK(Key::generate(KeyKind::Secret, 0, 31)->sign(Algorithm::HS256, "m").error().reason ==
        "key_too_small");
  CHECK(Key::generate(KeyKind::Secret, 0, 32)->sign(Algorithm::HS256, "m"));
  CHECK(Key::generate(KeyKind::P256)->sign(Algorithm::ES384, "m").error().reason ==
        "alg_key_mismatch");
  CHECK(Key::generate(KeyKind::Rsa, 1024).error().reason == "key_invalid");
  CHECK_FALSE(algorithm_named("none"));
  CHECK_FALSE(algorithm_named("hs256"));
  CHECK(algorithm_named("Ed25519") == Algorithm::EdDSA);
}

TEST_CASE("every PEM form of the vectors is read", "[crypto]") {
  std::size_t read = 0;
  for (const char* name :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}) {
    for (const char* form : {"pkcs8", "spki", "pkcs1", "pkcs1pub", "sec1"}) {
      const std::string file = std::string("keys/") + name + "." + form + ".pem";
      const bool extra = std::string(form).starts_with("pkcs1") || std::string(form) == "sec1";
      const bool there = std::string(form) == "sec1" ? std::string(name) == "ES256"
                                                     : !extra || std::string(name) == "RS256";
      const auto text = there ? test::vector_text("identity", file) : std::nullopt;
      if (text) {
        INFO(file);
        const auto key = read_pem(*text);
        REQUIRE(key);
        CHECK(key->is_private() ==
              (std::string(form) != "spki" && std::string(form) != "pkcs1pub"));
        ++read;
      }
    }
  }
  if (const auto sealed = test::vector_text("identity", "keys/RS256.encrypted.pem")) {
    CHECK(read_pem(*sealed).error().reason == "key_invalid");
    CHECK(read_pem(*sealed, "wrong").error().reason == "key_invalid");
    CHECK(read_pem(*sealed, "test-only-passphrase"));
    ++read;
  }
  test::report_vectors("identity", "keys/*.pem", read);
}

TEST_CASE("a PEM text without a proper key is refused", "[crypto]") {
  const std::string good = write_public_pem(*Key::generate(KeyKind::P256));
  for (const std::string& bad :
       {std::string(),
        std::string("-----BEGIN PUBLIC KEY"),
        std::string("-----BEGIN PUBLIC KEY-----\nAAAA"),
        std::string("-----BEGIN PUBLIC KEY-----\n%%%%\n-----END PUBLIC KEY-----"),
        std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        std::string("-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----"),
        std::string(70'000, '-'),
        good.substr(0, good.size() - 20)}) {
    const auto key = read_pem(bad);
    REQUIRE_FALSE(key);
    CHECK(key.error().reason == "key_invalid");
  }
}

}  // namespace
}  // namespace edge::crypto
