// SPDX-License-Identifier: MIT
#include "daemon/http/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

namespace edge::http {
namespace {

constexpr int kBacklog = 1024;
constexpr std::string_view kUnixPrefix = "unix:";
constexpr mode_t kSocketMode = 0660;

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
  if (socket.storage.ss_family == AF_UNIX) {
    endpoint.address = Address::parse("127.0.0.1").value_or(Address{});
    return endpoint;
  }
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

SocketAddress to_unix(const std::string& path) {
  SocketAddress out;
  auto& address = reinterpret_cast<sockaddr_un&>(out.storage);
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, std::begin(address.sun_path));
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return out;
}

/// True when nobody accepts at a socket file any more.
bool is_abandoned(const std::string& path) {
  SocketAddress address = to_unix(path);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool refused =
      ::connect(descriptor, address.raw(), address.size) != 0 && errno == ECONNREFUSED;
  ::close(descriptor);
  return refused;
}

/// The directory of a socket file, made for its owner and group when it is missing.
void make_directory(const std::filesystem::path& directory) {
  std::error_code ignored;  // binding tells what is wrong
  if (std::filesystem::create_directories(directory, ignored)) {
    ::chmod(directory.c_str(), 0750);
  }
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
  const auto bad = [&](std::string_view what = "is no address such as 127.0.0.1:9100") {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = fmt::format("\"{}\" {}", text, what),
                    .field = "server.listen"});
  };
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    if (!path.starts_with('/') || path.size() >= sizeof(sockaddr_un::sun_path)) {
      return bad("must be unix: and an absolute path of at most 107 octets");
    }
    return Endpoint{.path = std::string(path)};
  }
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
  if (is_unix()) {
    return std::string(kUnixPrefix) + path;
  }
  return address.is_v4() ? fmt::format("{}:{}", address.text(), port)
                         : fmt::format("[{}]:{}", address.text(), port);
}

Result<Listener> Listener::open(const Endpoint& endpoint) {
  return endpoint.is_unix() ? open_unix(endpoint) : open_tcp(endpoint);
}

Result<Listener> Listener::open_unix(const Endpoint& endpoint) {
  make_directory(std::filesystem::path(endpoint.path).parent_path());
  SocketAddress address = to_unix(endpoint.path);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return Failure(socket_error(endpoint, errno));
  }
  Listener listener(descriptor, {});  // it takes the name when the file is its own
  int bound = ::bind(descriptor, address.raw(), address.size);
  if (bound != 0 && errno == EADDRINUSE && is_abandoned(endpoint.path)) {
    ::unlink(endpoint.path.c_str());
    bound = ::bind(descriptor, address.raw(), address.size);
  }
  if (bound != 0) {
    return Failure(socket_error(endpoint, errno));
  }
  listener.endpoint_ = endpoint;
  if (::chmod(endpoint.path.c_str(), kSocketMode) != 0 || ::listen(descriptor, kBacklog) != 0) {
    return Failure(socket_error(endpoint, errno));
  }
  return listener;
}

Result<Listener> Listener::open_tcp(const Endpoint& endpoint) {
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
  if (descriptor_ < 0) {
    return;
  }
  ::close(descriptor_);
  if (endpoint_.is_unix()) {
    ::unlink(endpoint_.path.c_str());
  }
}

Listener::Listener(Listener&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), endpoint_(std::move(other.endpoint_)) {}

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
  if (!endpoint_.is_unix()) {
    ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  peer = from_socket(socket).address;
  return accepted;
}

bool Listener::is_exhausted() {
  return errno == EMFILE || errno == ENFILE;
}

}  // namespace edge::http
