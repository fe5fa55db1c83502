// SPDX-License-Identifier: MIT
#include "core/crypto/digest.h"

#include <catch2/catch.hpp>

#include "core/crypto/murmur3.h"
#include "core/encoding/hex.h"

namespace crypto = edge::crypto;
using edge::encoding::hex_encode;

TEST_CASE("digests and HMACs give the published values", "[crypto]") {
  CHECK(hex_encode(crypto::sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_encode(crypto::sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  // RFC 4231, test case 2
  CHECK(hex_encode(crypto::hmac(crypto::Hash::Sha256, "Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("murmur3 over two parts equals murmur3 over their concatenation", "[crypto]") {
  CHECK(crypto::murmur3_32("", 0) == 0);
  CHECK(crypto::murmur3_32("", 1) == 0x514e28b7);
  CHECK(crypto::murmur3_32("hello, world", 0) == 0x149bbb7f);
  CHECK(crypto::murmur3_32("hel", "lo, world", 7) == crypto::murmur3_32("hello, world", 7));
}

TEST_CASE("secrets compare by content and length", "[crypto]") {
  CHECK(crypto::constant_time_equal("same", "same"));
  CHECK_FALSE(crypto::constant_time_equal("same", "sama"));
  CHECK_FALSE(crypto::constant_time_equal("same", "samee"));
}
