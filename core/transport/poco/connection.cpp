// SPDX-License-Identifier: MIT
#include "core/transport/poco/connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SocketAddress.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace edge::transport {
namespace {

tl::unexpected<Error> unavailable(std::string message, const char* reason) {
  return Failure({ErrorCode::Unavailable, std::move(message), "", reason});
}
tl::unexpected<Error> timed_out() {
  return Failure({ErrorCode::DeadlineExceeded, "no answer in time", "", "timeout"});
}
tl::unexpected<Error> lost() {
  return unavailable("the connection was lost", "connection_lost");
}

constexpr int kLookForCutOffMs = 250;

// OpenSSL's own socket BIO raises SIGPIPE when the peer is gone; this one does not.
int descriptor_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int send_octets(BIO* bio, const char* octets, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent =
      ::send(descriptor_of(bio), octets, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(sent);
}

int receive_octets(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(descriptor_of(bio), out, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(got);
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* quiet_bio(int descriptor) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket");
    BIO_meth_set_write(made, send_octets);
    BIO_meth_set_read(made, receive_octets);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  BIO* bio = BIO_new(method);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  return bio;
}

std::string handshake_problem(const SSL* ssl) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) {
    return fmt::format("the certificate is not accepted: {}",
                       X509_verify_cert_error_string(verified));
  }
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return fmt::format("the TLS handshake failed: {}",
                     reason == nullptr ? "connection closed" : reason);
}

}  // namespace

TlsContext::TlsContext() : context_(SSL_CTX_new(TLS_client_method())) {
  if (!context_ || SSL_CTX_set_default_verify_paths(context_.get()) != 1) {
    throw std::runtime_error("OpenSSL gave no client context");
  }
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context_.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

int Connection::Limit::left_ms() const {
  if (cut_off) {
    return 0;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(at - clock.steady()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

Result<std::unique_ptr<Connection>> Connection::open(const Target& target,
                                                     const IpAddress& address,
                                                     const TlsContext* tls,
                                                     const Limit& limit) {
  const int left = limit.left_ms();
  if (left == 0) {
    return timed_out();
  }
  try {
    const Poco::Net::IPAddress ip(address.octets.data(), address.is_v6 ? 16 : 4);
    Poco::Net::StreamSocket socket;
    socket.connect(Poco::Net::SocketAddress(ip, target.port),
                   Poco::Timespan(Poco::Timespan::TimeDiff{left} * 1000));
    socket.setBlocking(false);
    socket.setNoDelay(true);
    std::unique_ptr<Connection> made(new Connection(std::move(socket)));
    if (tls != nullptr) {
      if (auto shaken = made->shake_hands(target, *tls, limit); !shaken) {
        return Failure(shaken.error());
      }
    }
    return made;
  } catch (const Poco::TimeoutException&) {
    return unavailable(fmt::format("no connection to {} in time", target.authority()),
                       "connect_failed");
  } catch (const Poco::Exception& problem) {
    return unavailable(fmt::format("cannot connect to {}: {}", target.authority(), problem.name()),
                       "connect_failed");
  }
}

Result<void> Connection::shake_hands(const Target& target,
                                     const TlsContext& tls,
                                     const Limit& limit) {
  ssl_.reset(SSL_new(tls.get()));
  BIO* bio = quiet_bio(descriptor());
  SSL_set_bio(ssl_.get(), bio, bio);
  if (target.literal) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), target.host.c_str());
  } else {
    SSL_set1_host(ssl_.get(), target.host.c_str());
    SSL_set_tlsext_host_name(ssl_.get(), target.host.c_str());
  }
  for (;;) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) {
      return {};
    }
    const int wanted = SSL_get_error(ssl_.get(), result);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
      return unavailable(handshake_problem(ssl_.get()), "tls_failed");
    }
    if (auto ready = wait(wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, limit); !ready) {
      return unavailable("no TLS handshake in time", "tls_failed");
    }
  }
}

Result<void> Connection::write(std::string_view octets, const Limit& limit) {
  while (!octets.empty()) {
    short awaited = POLLOUT;
    std::size_t written = 0;
    if (ssl_) {
      ERR_clear_error();
      const int result = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &written);
      const int wanted = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
      if (wanted != SSL_ERROR_NONE && wanted != SSL_ERROR_WANT_READ &&
          wanted != SSL_ERROR_WANT_WRITE) {
        return lost();
      }
      awaited = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    } else {
      const ssize_t sent = ::send(descriptor(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return lost();
      }
      written = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    }
    octets.remove_prefix(written);
    if (written == 0) {
      if (auto ready = wait(awaited, limit); !ready) {
        return ready;
      }
    }
  }
  return {};
}

Result<std::size_t> Connection::read(std::span<char> out, const Limit& limit) {
  for (;;) {
    short awaited = POLLIN;
    if (ssl_) {
      ERR_clear_error();
      std::size_t got = 0;
      const int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &got);
      if (result == 1) {
        return got;
      }
      const int wanted = SSL_get_error(ssl_.get(), result);
      if (wanted == SSL_ERROR_ZERO_RETURN) {
        return 0U;
      }
      if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
        return lost();
      }
      awaited = wanted == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    } else {
      const ssize_t got = ::recv(descriptor(), out.data(), out.size(), 0);
      if (got >= 0) {
        return static_cast<std::size_t>(got);
      }
      if (errno != EAGAIN && errno != EINTR) {
        return lost();
      }
    }
    if (auto ready = wait(awaited, limit); !ready) {
      return Failure(ready.error());
    }
  }
}

bool Connection::is_quiet() const {
  pollfd entry{descriptor(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 0;
}

Result<void> Connection::wait(short events, const Limit& limit) const {
  for (;;) {
    const int left = limit.left_ms();
    if (left == 0) {
      return timed_out();
    }
    pollfd entry{descriptor(), events, 0};
    if (::poll(&entry, 1, std::min(left, kLookForCutOffMs)) > 0) {
      return {};
    }
  }
}

int Connection::descriptor() const {
  return socket_.impl()->sockfd();
}

}  // namespace edge::transport
