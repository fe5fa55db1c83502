// SPDX-License-Identifier: MIT
// Passwords as argon2id hashes in PHC text form (RFC 9106, version 19), by libsodium 1.0.18, which
// makes strings of one lane (p = 1) and verifies those of other libraries with more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace edge::crypto {

/// Cost of one hash: `memory_kib` 19456 to 262144, `passes` 1 to 10, always one lane.
struct PasswordCost {
  std::uint32_t memory_kib = 19456;
  std::uint32_t passes = 2;

  bool operator==(const PasswordCost&) const = default;
};

/// Hashes a password with a fresh random salt of 16 octets into
/// `$argon2id$v=19$m=…,t=…,p=1$salt$hash` (32 octets). Takes tens of milliseconds and `memory_kib`;
/// for pool threads. Thread-safe.
std::string hash_password(std::string_view password, const PasswordCost& cost);

/// Whether the password belongs to the stored string. Strings that are not argon2id version 19, or
/// that ask for more than m = 262144, t = 16, p = 16, are refused from their text, before any
/// memory is taken.
bool verify_password(std::string_view stored, std::string_view password);

/// Whether a right password should be hashed anew: weaker than `cost`, or more than one lane, or no
/// readable string.
bool needs_rehash(std::string_view stored, const PasswordCost& cost);

}  // namespace edge::crypto
