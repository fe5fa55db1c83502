// SPDX-License-Identifier: MIT
// The wrapper (labels, base64 lines) is read here; OpenSSL decodes only the DER inside. Every key
// then goes through `Key::make`, so that a PEM file is judged by the same rules as a JWK.
#include "core/crypto/pem.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

#include "core/crypto/evp.h"
#include "core/crypto/secret.h"
#include "core/encoding/base64.h"

namespace edge::crypto {
namespace {

constexpr std::size_t kMaxPemBytes = 64 * 1024;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

struct Block {
  std::string label;
  std::string der;
};

struct Der {
  const unsigned char* position;
  long size;
};

using Reader = EVP_PKEY* (*)(Der&, std::string_view passphrase);

EVP_PKEY* read_pkcs8(Der& der, std::string_view /*passphrase*/) {
  PKCS8_PRIV_KEY_INFO* info = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &der.position, der.size);
  EVP_PKEY* key = info == nullptr ? nullptr : EVP_PKCS82PKEY(info);
  PKCS8_PRIV_KEY_INFO_free(info);
  return key;
}

EVP_PKEY* read_encrypted(Der& der, std::string_view passphrase) {
  X509_SIG* sealed = d2i_X509_SIG(nullptr, &der.position, der.size);
  if (sealed == nullptr) {
    return nullptr;
  }
  PKCS8_PRIV_KEY_INFO* info =
      PKCS8_decrypt(sealed, passphrase.data(), static_cast<int>(passphrase.size()));
  X509_SIG_free(sealed);
  EVP_PKEY* key = info == nullptr ? nullptr : EVP_PKCS82PKEY(info);
  PKCS8_PRIV_KEY_INFO_free(info);
  return key;
}

EVP_PKEY* read_certificate(Der& der, std::string_view /*passphrase*/) {
  X509* certificate = d2i_X509(nullptr, &der.position, der.size);
  EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get_pubkey(certificate);
  X509_free(certificate);
  return key;
}

EVP_PKEY* read_ec(Der& der, std::string_view /*passphrase*/) {
  return d2i_PrivateKey(EVP_PKEY_EC, nullptr, &der.position, der.size);
}

EVP_PKEY* read_rsa(Der& der, std::string_view /*passphrase*/) {
  return d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &der.position, der.size);
}

EVP_PKEY* read_public(Der& der, std::string_view /*passphrase*/) {
  return d2i_PUBKEY(nullptr, &der.position, der.size);
}

EVP_PKEY* read_rsa_public(Der& der, std::string_view /*passphrase*/) {
  return d2i_PublicKey(EVP_PKEY_RSA, nullptr, &der.position, der.size);
}

struct Label {
  std::string_view name;
  Reader read;
};
constexpr std::array<Label, 7> kLabels = {{
    {"PRIVATE KEY", read_pkcs8},
    {"ENCRYPTED PRIVATE KEY", read_encrypted},
    {"EC PRIVATE KEY", read_ec},
    {"RSA PRIVATE KEY", read_rsa},
    {"PUBLIC KEY", read_public},
    {"RSA PUBLIC KEY", read_rsa_public},
    {"CERTIFICATE", read_certificate},
}};

/// Takes the next block off the front of `text`; an empty label when there is none.
Result<Block> next_block(std::string_view& text) {
  const auto begin = text.find(kBegin);
  if (begin == std::string_view::npos) {
    return Block{};
  }
  text.remove_prefix(begin + kBegin.size());
  const auto label_end = text.find(kDashes);
  if (label_end == std::string_view::npos || label_end > 64) {
    return Failure(evp::invalid_key("a PEM block has no proper first line"));
  }
  Block block{std::string(text.substr(0, label_end)), {}};
  text.remove_prefix(label_end + kDashes.size());
  const auto end = text.find("-----END " + block.label + std::string(kDashes));
  if (end == std::string_view::npos) {
    return Failure(evp::invalid_key("a PEM block has no last line"));
  }
  std::string base64;
  for (const char c : text.substr(0, end)) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') {
      base64 += c;
    }
  }
  auto der = encoding::base64_decode(base64);
  wipe(base64);
  if (!der || der->empty()) {
    return Failure(
        evp::invalid_key("a PEM block is not base64 (old encrypted forms are not read)"));
  }
  block.der = std::move(*der);
  text.remove_prefix(end);
  return block;
}

Result<Key> read_block(const Block& block, const Label& label, std::string_view passphrase) {
  if (label.read == read_encrypted && passphrase.empty()) {
    return Failure(evp::invalid_key("the key is encrypted and no passphrase was given"));
  }
  Der der{reinterpret_cast<const unsigned char*>(block.der.data()),
          static_cast<long>(block.der.size())};
  const unsigned char* end = der.position + block.der.size();
  const evp::KeyPointer key(label.read(der, passphrase));
  ERR_clear_error();  // a TLS connection of this thread must not see our refusals
  if (!key || der.position != end) {
    return Failure(evp::invalid_key("the " + block.label + " block cannot be read" +
                                    (label.read == read_encrypted ? " (wrong passphrase?)" : "")));
  }
  const auto numbers = evp::numbers_of(*key);
  if (!numbers) {
    return Failure(evp::invalid_key("the key is of a kind that is not used for signatures here"));
  }
  return Key::make(*numbers);
}

std::string wrap(std::string_view label, std::string der) {
  const std::string base64 = encoding::base64_encode(der);
  wipe(der);
  std::string pem = std::string(kBegin) + std::string(label) + std::string(kDashes) + "\n";
  for (std::size_t i = 0; i < base64.size(); i += 64) {
    pem += base64.substr(i, 64);
    pem += '\n';
  }
  return pem + "-----END " + std::string(label) + std::string(kDashes) + "\n";
}

}  // namespace

bool looks_like_pem(std::string_view text) {
  return text.find(kBegin) != std::string_view::npos;
}

Result<Key> read_pem(std::string_view text, std::string_view passphrase) {
  if (text.size() > kMaxPemBytes) {
    return Failure(evp::invalid_key("a PEM text has at most 64 KiB"));
  }
  while (true) {
    auto block = next_block(text);
    if (!block) {
      return Failure(std::move(block.error()));
    }
    if (block->label.empty()) {
      return Failure(evp::invalid_key("there is no key in the PEM text"));
    }
    const auto* const label = std::find_if(
        kLabels.begin(), kLabels.end(), [&](const Label& l) { return l.name == block->label; });
    if (label != kLabels.end()) {
      auto key = read_block(*block, *label, passphrase);
      wipe(block->der);
      return key;
    }
  }
}

std::string write_private_pem(const Key& key) {
  return wrap("PRIVATE KEY", key.private_der());
}

std::string write_public_pem(const Key& key) {
  return wrap("PUBLIC KEY", key.public_der());
}

}  // namespace edge::crypto
