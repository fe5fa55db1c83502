// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace edge::crypto {

/// Whether a secret belongs to a bcrypt hash (`$2a$`, `$2b$` or `$2y$`, cost up to 14), by crypt(3)
/// of libxcrypt 4.4. False for any other hash and for a secret that holds NUL, which crypt(3) would
/// cut. Takes tens of milliseconds and more; for pool threads. Thread-safe.
bool verify_bcrypt(const std::string& secret, const std::string& hash);

}  // namespace edge::crypto
