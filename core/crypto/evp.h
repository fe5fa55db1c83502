// SPDX-License-Identifier: MIT
// What the files of this folder share about OpenSSL keys; for them only. OpenSSL's types appear by
// their struct names, so that no header of OpenSSL is needed to read this one.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/signature.h"

struct evp_pkey_st;

namespace edge::crypto::evp {

struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using KeyPointer = std::unique_ptr<evp_pkey_st, FreeKey>;

/// Builds an OpenSSL key of checked numbers. Failure: `key_invalid`.
Result<KeyPointer> build(const KeyNumbers& numbers);
/// The numbers of an OpenSSL key; nothing when it is of a kind we do not take.
std::optional<KeyNumbers> numbers_of(const evp_pkey_st& key);
/// Checks RSA numbers as `Key::make` promises.
Result<void> check_rsa(const KeyNumbers& numbers);

/// `key_invalid` with that message.
Error invalid_key(std::string_view message);

}  // namespace edge::crypto::evp
