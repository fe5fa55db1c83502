// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/signature.h"

namespace edge::crypto {

/// Whether the text holds a PEM block at all; tells PEM files from others.
bool looks_like_pem(std::string_view text);

/// Reads the first key block of a PEM text (RFC 7468); text around it and `EC PARAMETERS` before it
/// are skipped. Takes PRIVATE KEY, ENCRYPTED PRIVATE KEY (with `passphrase`), EC PRIVATE KEY, RSA
/// PRIVATE KEY, PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE (its public key only; dates are not
/// judged). At most 64 KiB.
///
/// Failure: InvalidArgument, reason `key_invalid` or `key_too_small`.
Result<Key> read_pem(std::string_view text, std::string_view passphrase = {});

/// `PRIVATE KEY` and `PUBLIC KEY` blocks. Not for secrets.
std::string write_private_pem(const Key& key);
std::string write_public_pem(const Key& key);

}  // namespace edge::crypto
