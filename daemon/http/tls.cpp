// SPDX-License-Identifier: MIT
#include "daemon/http/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/config/private_file.h"

namespace edge::http {
namespace {

constexpr const char* kCertificateKey = "server.tls.certificate";
constexpr const char* kPrivateKeyKey = "server.tls.key";
constexpr std::size_t kMaxCertificateOctets = std::size_t{1} << 20U;
constexpr const char* kSuites12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256";
constexpr std::string_view kProtocol("\x08http/1.1", 9);  // as ALPN writes it

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

void free_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}
using Chain = std::unique_ptr<STACK_OF(X509), Freer<free_chain>>;

Error wrong(const char* key, const std::filesystem::path& file, std::string_view what) {
  ERR_clear_error();
  return {ErrorCode::InvalidArgument,
          fmt::format("'{}' {}", file.string(), what),
          key,
          "bad_certificate"};
}

Bio open_memory(std::string_view octets) {
  return Bio(BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())));
}

/// Instead of asking a terminal for the passphrase of an encrypted key.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

/// Chooses `http/1.1`; clients that speak other protocols only are refused.
int choose_protocol(SSL* /*session*/,
                    const unsigned char** out,
                    unsigned char* out_length,
                    const unsigned char* in,
                    unsigned int in_length,
                    void* /*data*/) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen,
                                          out_length,
                                          reinterpret_cast<const unsigned char*>(kProtocol.data()),
                                          static_cast<unsigned int>(kProtocol.size()),
                                          in,
                                          in_length);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

/// What the daemon proves itself by.
struct Tls::Identity {
  Certificate certificate;
  Chain chain;
  PrivateKey key;

  Result<void> read_certificate(const std::filesystem::path& file);
  Result<void> read_key(const Files& files);
};

Result<void> Tls::Identity::read_certificate(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) {
    return Failure(wrong(kCertificateKey, file, "cannot be read"));
  }
  if (text.size() > kMaxCertificateOctets) {
    return Failure(wrong(kCertificateKey, file, "is larger than 1 MiB"));
  }
  const Bio bio = open_memory(text);
  certificate.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) {
    return Failure(wrong(kCertificateKey, file, "holds no certificate in PEM form"));
  }
  chain.reset(sk_X509_new_null());
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    sk_X509_push(chain.get(), next);
  }
  ERR_clear_error();  // of the end of the file
  return {};
}

Result<void> Tls::Identity::read_key(const Files& files) {
  auto text = config::read_private_file(
      files.key, {.allow_insecure_permissions = files.allow_insecure_permissions});
  if (!text) {
    Error error = text.error();
    error.code = ErrorCode::InvalidArgument;
    error.field = kPrivateKeyKey;
    return Failure(std::move(error));
  }
  const Bio bio = open_memory(text->view());
  key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    return Failure(
        wrong(kPrivateKeyKey, files.key, "holds no private key in PEM form, or an encrypted one"));
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Failure(wrong(kPrivateKeyKey, files.key, "does not belong to the certificate"));
  }
  return {};
}

/// OpenSSL's settings; each has ticket keys of its own.
struct Tls::Context {
  SslContext ssl;

  explicit Context(const Identity& identity) : ssl(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX* raw = ssl.get();
    const bool good =
        raw != nullptr && SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(raw, kSuites12) == 1 &&
        SSL_CTX_set1_groups_list(raw, kGroups) == 1 &&
        SSL_CTX_use_cert_and_key(
            raw, identity.certificate.get(), identity.key.get(), identity.chain.get(), 1) == 1;
    if (!good) {
      ERR_clear_error();
      throw std::runtime_error("OpenSSL refused the settings of TLS");
    }
    SSL_CTX_set_options(raw,
                        SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
                            SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(raw,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                         SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  }
};

void TlsSessionEnd::operator()(ssl_st* session) const {
  SSL_free(session);
}

Tls::~Tls() = default;

Result<std::unique_ptr<Tls>> Tls::open(const Files& files) {
  if (files.certificate.empty() || files.key.empty()) {
    const bool lacks_key = files.key.empty();
    return Failure({ErrorCode::InvalidArgument,
                    "a certificate and its key go together",
                    lacks_key ? kPrivateKeyKey : kCertificateKey,
                    "bad_certificate"});
  }
  std::unique_ptr<Tls> tls(new Tls(files));  // private constructor
  if (const auto loaded = tls->reload(); !loaded) {
    return Failure(loaded.error());
  }
  return tls;
}

Result<void> Tls::reload() {
  auto identity = std::make_shared<Identity>();
  if (auto read = identity->read_certificate(files_.certificate); !read) {
    return read;
  }
  if (auto read = identity->read_key(files_); !read) {
    return read;
  }
  auto context = std::make_shared<Context>(*identity);
  const std::lock_guard lock(mutex_);
  identity_ = std::move(identity);
  context_ = std::move(context);
  return {};
}

void Tls::rotate_ticket_keys() {
  const std::lock_guard lock(mutex_);
  context_ = std::make_shared<Context>(*identity_);
}

TlsSession Tls::accept(int descriptor) const {
  std::shared_ptr<Context> context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  TlsSession session(SSL_new(context->ssl.get()));  // takes part in the ownership of the context
  if (!session || SSL_set_fd(session.get(), descriptor) != 1) {
    return nullptr;
  }
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace edge::http
