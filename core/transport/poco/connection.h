// SPDX-License-Identifier: MIT
#pragma once

#include <Poco/Net/StreamSocket.h>
#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/transport/guard.h"

namespace edge::transport {

/// OpenSSL's client settings, made at the first https request: TLS 1.2 or later, the system's
/// certificate authorities (or SSL_CERT_FILE). Immutable afterwards, so connections of all threads
/// share it.
class TlsContext {
 public:
  TlsContext();
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

/// One TCP or TLS connection that gives up at a deadline. One thread only.
///
/// The deadline bounds a whole call and not each piece of it, so that a server that sends one octet
/// now and then cannot hold it; Poco's and OpenSSL's own time-outs begin anew with every piece,
/// hence the descriptor is non-blocking.
class Connection {
 public:
  /// When to give up, by which clock.
  struct Limit {
    const Clock& clock;
    SteadyTime at;
    const std::atomic<bool>& cut_off;  ///< gives up at once when set
    [[nodiscard]] int left_ms() const;
  };

  /// Connects to `address`; with `tls` also shakes hands and checks the certificate against
  /// `target.host`. Failures: as in HttpClient.
  static Result<std::unique_ptr<Connection>> open(const Target& target,
                                                  const IpAddress& address,
                                                  const TlsContext* tls,
                                                  const Limit& limit);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;
  ~Connection() = default;

  Result<void> write(std::string_view octets, const Limit& limit);
  /// Number of octets read; 0 when the peer closed the connection.
  Result<std::size_t> read(std::span<char> out, const Limit& limit);
  /// Whether an idle connection still is open and nothing unasked came on it.
  [[nodiscard]] bool is_quiet() const;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  explicit Connection(Poco::Net::StreamSocket socket) : socket_(std::move(socket)) {}
  Result<void> shake_hands(const Target& target, const TlsContext& tls, const Limit& limit);
  /// Waits until the descriptor is ready; DeadlineExceeded when the limit is over first.
  Result<void> wait(short events, const Limit& limit) const;
  [[nodiscard]] int descriptor() const;

  Poco::Net::StreamSocket socket_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace edge::transport
