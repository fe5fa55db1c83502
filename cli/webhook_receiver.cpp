// SPDX-License-Identifier: MIT
#include "cli/webhook_receiver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace edge::cli {
namespace {

constexpr int kLookMs = 50;
constexpr std::size_t kLongestRequest = std::size_t{1} << 20U;

/// The number behind `Content-Length:` in a head; 0 without one.
std::size_t content_length(std::string_view head) {
  std::string lower(head);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::size_t at = lower.find("content-length:");
  std::size_t length = 0;
  if (at != std::string::npos) {
    const std::size_t digits = lower.find_first_not_of(' ', at + 15);
    std::from_chars(
        lower.data() + std::min(digits, lower.size()), lower.data() + lower.size(), length);
  }
  return length;
}

}  // namespace

WebhookReceiver::WebhookReceiver() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("no free port on this machine");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

WebhookReceiver::~WebhookReceiver() {
  thread_.request_stop();
  thread_.join();
  ::close(listener_);
}

std::string WebhookReceiver::url(const std::string& path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<WebhookReceiver::Received> WebhookReceiver::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

void WebhookReceiver::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, kLookMs) <= 0) {
      continue;
    }
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) {
      converse(connection);
      ::close(connection);
    }
  }
}

void WebhookReceiver::converse(int connection) {
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string request;
  std::size_t body = std::string::npos;
  while (body == std::string::npos ||
         request.size() < body + content_length(request.substr(0, body))) {
    std::array<char, 4096> chunk{};
    const ssize_t got = ::recv(connection, chunk.data(), chunk.size(), 0);
    if (got <= 0 || request.size() > kLongestRequest) {
      return;
    }
    request.append(chunk.data(), static_cast<std::size_t>(got));
    const std::size_t end = request.find("\r\n\r\n");
    body = end == std::string::npos ? end : end + 4;
  }
  const int status = status_;
  {
    const std::lock_guard lock(mutex_);
    received_.push_back({status, request.substr(body)});
  }
  const std::string answer =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                  status,
                  status < 300 ? "OK" : "Error");
  ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
}

}  // namespace edge::cli
