// SPDX-License-Identifier: MIT
#include "daemon/http/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

namespace edge::http {
namespace {

constexpr int kBacklog = 1024;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket(const Endpoint& endpoint) {
  SocketAddress out;
  const std::string text = endpoint.address.text();
  if (endpoint.address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    inet_pton(AF_INET, text.c_str(), &v4.sin_addr);
    out.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr);
    out.size = sizeof v6;
  }
  return out;
}

Endpoint from_socket(const SocketAddress& socket) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  Endpoint endpoint;
  if (socket.storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(socket.storage);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    endpoint.port = ntohs(v4.sin_port);
  } else {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(socket.storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    endpoint.port = ntohs(v6.sin6_port);
  }
  endpoint.address = Address::parse(text.data()).value_or(Address{});
  return endpoint;
}

Error socket_error(const Endpoint& endpoint, int number) {
  const char* reason = number == EADDRINUSE      ? "address_in_use"
                       : number == EADDRNOTAVAIL ? "address_not_available"
                                                 : "not_permitted";
  return {.code = ErrorCode::Unavailable,
          .message = fmt::format(
              "cannot listen at {}: {}", endpoint.text(), std::generic_category().message(number)),
          .field = "server.listen",
          .reason = reason};
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto bad = [&] {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = fmt::format("\"{}\" is no address such as 127.0.0.1:9100", text),
                    .field = "server.listen"});
  };
  if (colon == std::string_view::npos) {
    return bad();
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host == "localhost") {
    host = "127.0.0.1";
  }
  Endpoint endpoint;
  const auto address = Address::parse(host);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (!address || error != std::errc() || end != digits.data() + digits.size()) {
    return bad();
  }
  endpoint.address = *address;
  return endpoint;
}

std::string Endpoint::text() const {
  return address.is_v4() ? fmt::format("{}:{}", address.text(), port)
                         : fmt::format("[{}]:{}", address.text(), port);
}

Result<Listener> Listener::open(const Endpoint& endpoint) {
  SocketAddress socket = to_socket(endpoint);
  const int descriptor =
      ::socket(socket.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return Failure(socket_error(endpoint, errno));
  }
  Listener listener(descriptor, endpoint);
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!endpoint.address.is_v4()) {
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(descriptor, socket.raw(), socket.size) != 0 || ::listen(descriptor, kBacklog) != 0) {
    return Failure(socket_error(endpoint, errno));
  }
  SocketAddress real;
  if (::getsockname(descriptor, real.raw(), &real.size) == 0) {
    listener.endpoint_ = from_socket(real);
  }
  return listener;
}

Listener::~Listener() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Listener::Listener(Listener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), endpoint_(other.endpoint_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(endpoint_, other.endpoint_);
  return *this;
}

int Listener::accept(Address& peer) const {
  SocketAddress socket;
  const int accepted =
      ::accept4(descriptor_, socket.raw(), &socket.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) {
    return -1;
  }
  const int on = 1;
  ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  peer = from_socket(socket).address;
  return accepted;
}

bool Listener::is_exhausted() {
  return errno == EMFILE || errno == ENFILE;
}

}  // namespace edge::http
