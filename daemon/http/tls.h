// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>

#include "core/base/result.h"

struct ssl_st;

namespace edge::http {

/// Ends OpenSSL's state of one connection.
struct TlsSessionEnd {
  void operator()(ssl_st* session) const;
};
using TlsSession = std::unique_ptr<ssl_st, TlsSessionEnd>;

/// The certificate and the rules by which listeners speak TLS (identity spec 6.5): versions 1.2 and
/// 1.3, AEAD suites in our order, X25519 and P-256, ALPN `http/1.1` only, no renegotiation, no
/// compression, no session cache but tickets. Thread-safe.
class Tls {
 public:
  struct Files {
    std::filesystem::path certificate = {};  ///< PEM, the chain behind it
    std::filesystem::path key = {};          ///< PEM, not encrypted, readable by its owner only
    bool allow_insecure_permissions = false;
  };

  /// Failure: InvalidArgument with the key of the setting that is wrong.
  static Result<std::unique_ptr<Tls>> open(const Files& files);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  Tls(Tls&&) = delete;
  Tls& operator=(Tls&&) = delete;

  /// Reads the files anew for connections from now on; those that are open keep what they began
  /// with. After a failure everything stays as it was.
  Result<void> reload();
  /// Makes new keys for session tickets; tickets given out before lead to a full handshake.
  void rotate_ticket_keys();
  /// The server's side of a connection on a non-blocking socket; null when there is no memory.
  [[nodiscard]] TlsSession accept(int descriptor) const;

 private:
  struct Identity;
  struct Context;
  explicit Tls(Files files) : files_(std::move(files)) {}

  const Files files_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Identity> identity_;  // guarded by mutex_
  std::shared_ptr<Context> context_;          // guarded by mutex_
};

}  // namespace edge::http
