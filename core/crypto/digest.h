// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace edge::crypto {

/// Digests as raw octets (FIPS 180-4).
std::string sha256(std::string_view octets);
std::string sha1(std::string_view octets);

enum class Hash { Sha1, Sha256, Sha384, Sha512 };

/// HMAC (RFC 2104) over `message`, full length, raw octets.
std::string hmac(Hash hash, std::string_view key, std::string_view message);

/// Compares two secrets in a time that depends on their lengths only.
bool constant_time_equal(std::string_view left, std::string_view right);

}  // namespace edge::crypto
