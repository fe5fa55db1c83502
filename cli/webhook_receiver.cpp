// SPDX-License-Identifier: MIT
#include "cli/webhook_receiver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace edge::cli {
namespace {

constexpr int kLookMs = 50;
constexpr std::size_t kLongestHead = std::size_t{64} << 10U;
constexpr std::size_t kLongestBody = std::size_t{8} << 20U;
constexpr int kBadRequest = 400;
constexpr int kLengthRequired = 411;
constexpr int kTooLarge = 413;

bool same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

void send_all(int connection, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(connection, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return;  // the client has gone; it will call again
    }
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void send_answer(int connection, int status, std::string_view body) {
  send_all(connection,
           fmt::format("HTTP/1.1 {} {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                       status,
                       status / 100 == 2 ? "OK" : "Refused",
                       body.size(),
                       body));
}

/// Request line and fields; false when they are none.
bool read_head(std::string_view head, WebhookRequest& request) {
  const auto next_line = [&head] {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    return line;
  };
  const std::string_view first = next_line();
  const std::size_t method_end = first.find(' ');
  const std::size_t path_end = first.rfind(" HTTP/1.");
  if (method_end == std::string_view::npos || path_end == std::string_view::npos ||
      path_end <= method_end) {
    return false;
  }
  request.method = first.substr(0, method_end);
  request.path = first.substr(method_end + 1, path_end - method_end - 1);
  while (!head.empty()) {
    const std::string_view line = next_line();
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) {
      return false;
    }
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    request.headers.emplace_back(line.substr(0, colon),
                                 value.substr(0, value.find_last_not_of(" \t") + 1));
  }
  return true;
}

/// Appends what comes; false at the end or when the client says nothing for too long.
bool receive(int connection, std::string& octets) {
  std::array<char, 16'384> chunk{};
  const ssize_t got = ::recv(connection, chunk.data(), chunk.size(), 0);
  octets.append(chunk.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

/// Reads one request; 0 when it is whole, else the status that says what is wrong with it, or -1
/// when nobody is there to be told.
int read_request(int connection, WebhookRequest& request) {
  std::string octets;
  std::size_t end = std::string::npos;
  while ((end = octets.find("\r\n\r\n")) == std::string::npos) {
    if (octets.size() > kLongestHead) {
      return kTooLarge;
    }
    if (!receive(connection, octets)) {
      return -1;
    }
  }
  if (!read_head(std::string_view(octets).substr(0, end), request)) {
    return kBadRequest;
  }
  if (request.header("transfer-encoding")) {
    return kLengthRequired;
  }
  std::size_t length = 0;
  const std::string_view digits = request.header("content-length").value_or("0");
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || last != digits.data() + digits.size()) {
    return kBadRequest;
  }
  if (length > kLongestBody) {
    return kTooLarge;
  }
  if (same(request.header("expect").value_or(""), "100-continue")) {
    send_all(connection, "HTTP/1.1 100 Continue\r\n\r\n");
  }
  octets.erase(0, end + 4);
  while (octets.size() < length) {
    if (!receive(connection, octets)) {
      return -1;
    }
  }
  request.body = octets.substr(0, length);
  return 0;
}

}  // namespace

std::optional<std::string_view> WebhookRequest::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const auto& field) { return same(field.first, name); });
  return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Result<std::unique_ptr<WebhookReceiver>> WebhookReceiver::open(int port,
                                                               Answering answering,
                                                               Observer observer) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int yes = 1;
  if (listener < 0 || ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(listener, generic, size) != 0 || ::listen(listener, SOMAXCONN) != 0 ||
      ::getsockname(listener, generic, &size) != 0) {
    const std::string why = std::generic_category().message(errno);
    ::close(listener);
    return Failure({ErrorCode::Unavailable,
                    fmt::format("cannot listen on 127.0.0.1:{}: {}", port, why),
                    "port",
                    "port_taken"});
  }
  return std::unique_ptr<WebhookReceiver>(new WebhookReceiver(
      listener, ntohs(address.sin_port), std::move(answering), std::move(observer)));
}

WebhookReceiver::WebhookReceiver(int listener, int port, Answering answering, Observer observer)
    : listener_(listener),
      port_(port),
      answering_(std::move(answering)),
      observer_(std::move(observer)) {
  for (std::jthread& thread : threads_) {
    thread = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
}

WebhookReceiver::~WebhookReceiver() {
  for (std::jthread& thread : threads_) {
    thread.request_stop();
  }
  for (std::jthread& thread : threads_) {
    thread.join();
  }
  ::close(listener_);
}

std::string WebhookReceiver::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

void WebhookReceiver::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, kLookMs) <= 0) {
      continue;
    }
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) {
      converse(connection, stop);
      ::close(connection);
    }
  }
}

void WebhookReceiver::converse(int connection, const std::stop_token& stop) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  WebhookRequest request;
  if (const int problem = read_request(connection, request); problem != 0) {
    if (problem > 0) {
      send_answer(connection, problem, "");
    }
    return;
  }
  const Answer answer = answering_(request);
  if (answer.delay.count() > 0) {
    std::unique_lock lock(waiting_);
    never_.wait_for(lock, stop, answer.delay, [] { return false; });
  }
  send_answer(connection, answer.status, answer.body);
  observer_(request, answer);
}

}  // namespace edge::cli
