// SPDX-License-Identifier: MIT
#include "tests/support/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace edge::test {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

std::string text_of(BIO* bio) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  return {octets, static_cast<std::size_t>(size)};
}

void require(bool good) {
  if (!good) {
    throw std::runtime_error("OpenSSL made no certificate");
  }
}

}  // namespace

TestCertificate make_certificate(long serial) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  require(key && certificate);
  X509* x509 = certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), -60);
  X509_gmtime_adj(X509_getm_notAfter(x509), 86'400);
  X509_set_pubkey(x509, key.get());
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"));
  require(names != nullptr && X509_add_ext(x509, names.get(), -1) == 1 &&
          X509_sign(x509, key.get(), EVP_sha256()) > 0);
  const Bio certificate_out(BIO_new(BIO_s_mem()));
  const Bio key_out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(certificate_out.get(), x509) == 1 &&
          PEM_write_bio_PrivateKey(
              key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {.certificate = text_of(certificate_out.get()), .key = text_of(key_out.get())};
}

void write_certificate(const std::string& directory,
                       const std::string& name,
                       const TestCertificate& pair) {
  const std::string key_file = directory + "/" + name + ".key";
  std::ofstream(directory + "/" + name + ".crt") << pair.certificate;
  std::ofstream(key_file) << pair.key;
  std::filesystem::permissions(
      key_file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace edge::test
