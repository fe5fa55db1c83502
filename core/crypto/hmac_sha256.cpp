// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED  // the block functions: see the header
#include "core/crypto/hmac_sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <stdexcept>

namespace edge::crypto {

struct HmacSha256::States {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

namespace {

constexpr std::size_t kBlockBytes = 64;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

}  // namespace

HmacSha256::HmacSha256(std::string_view key) : states_(std::make_unique<States>()) {
  std::array<unsigned char, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), block.data());
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (auto& octet : block) {
    octet ^= 0x36U;
  }
  SHA256_Init(&states_->inner);
  SHA256_Update(&states_->inner, block.data(), block.size());
  for (auto& octet : block) {
    octet ^= 0x36U ^ 0x5CU;
  }
  SHA256_Init(&states_->outer);
  SHA256_Update(&states_->outer, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
}

HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

HmacSha256::~HmacSha256() {
  if (states_) {
    OPENSSL_cleanse(states_.get(), sizeof(States));
  }
}

HmacSha256::Tag HmacSha256::tag(std::string_view message) const {
  Tag tag{};
  SHA256_CTX context = states_->inner;
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(tag.data(), &context);
  context = states_->outer;
  SHA256_Update(&context, tag.data(), tag.size());
  SHA256_Final(tag.data(), &context);
  return tag;
}

std::string hkdf_sha256(std::string_view key, std::string_view info) {
  const std::string no_salt(32, '\0');
  const auto extracted = HmacSha256(no_salt).tag(key);
  const std::string_view secret(reinterpret_cast<const char*>(extracted.data()), extracted.size());
  const auto block = HmacSha256(secret).tag(std::string(info) + '\x01');
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

std::string aes256_ctr(std::string_view key, std::string_view counter, std::string_view text) {
  thread_local std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  std::string out(text.size(), '\0');
  int length = 0;
  const bool done =
      context != nullptr && key.size() == 32 && counter.size() == 16 &&
      EVP_EncryptInit_ex(context.get(),
                         EVP_aes_256_ctr(),
                         nullptr,
                         reinterpret_cast<const unsigned char*>(key.data()),
                         reinterpret_cast<const unsigned char*>(counter.data())) == 1 &&
      EVP_EncryptUpdate(context.get(),
                        reinterpret_cast<unsigned char*>(out.data()),
                        &length,
                        reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size())) == 1;
  if (!done) {
    throw std::runtime_error("OpenSSL refused AES-256-CTR");
  }
  return out;
}

}  // namespace edge::crypto
