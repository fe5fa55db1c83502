// SPDX-License-Identifier: MIT
#include "core/crypto/secret.h"

#include <sodium.h>

#include <cstring>
#include <new>
#include <stdexcept>

namespace edge::crypto {

Secret::Secret(std::string_view octets) : size_(octets.size()) {
  if (sodium_init() < 0) {
    throw std::runtime_error("libsodium could not start");
  }
  octets_.reset(static_cast<char*>(sodium_malloc(size_ == 0 ? 1 : size_)));
  if (octets_ == nullptr) {
    throw std::bad_alloc();
  }
  if (!octets.empty()) {
    std::memcpy(octets_.get(), octets.data(), size_);
  }
}

Secret Secret::take(std::string&& octets) {
  Secret secret(octets);
  wipe(octets);
  return secret;
}

void Secret::Free::operator()(char* octets) const {
  sodium_free(octets);
}

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace edge::crypto
