// SPDX-License-Identifier: MIT
#include "tests/support/receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>

namespace edge::test {
namespace {

bool send_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_more(int descriptor, std::string& buffer) {
  std::array<char, 16384> piece{};
  const ssize_t got = ::recv(descriptor, piece.data(), piece.size(), 0);
  if (got <= 0) {
    return false;
  }
  buffer.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

Received parse_head(const std::string& head) {
  Received request;
  std::size_t begin = head.find("\r\n") + 2;
  const std::string first = head.substr(0, begin - 2);
  request.method = first.substr(0, first.find(' '));
  request.path = first.substr(first.find(' ') + 1, first.rfind(' ') - first.find(' ') - 1);
  while (begin < head.size()) {
    const std::size_t end = head.find("\r\n", begin);
    const std::string line = head.substr(begin, end - begin);
    const std::size_t colon = line.find(": ");
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    begin = end + 2;
  }
  return request;
}

std::optional<Received> read_request(int descriptor, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_more(descriptor, buffer)) {
      return std::nullopt;
    }
  }
  Received request = parse_head(buffer.substr(0, end + 2));
  buffer.erase(0, end + 4);
  const std::string length = request.header("content-length");
  const std::size_t size =
      length.empty() ? 0 : static_cast<std::size_t>(std::atoll(length.c_str()));
  while (buffer.size() < size) {
    if (!receive_more(descriptor, buffer)) {
      return std::nullopt;
    }
  }
  request.body = buffer.substr(0, size);
  buffer.erase(0, size);
  return request;
}

}  // namespace

std::string Received::header(const std::string& name) const {
  for (const auto& [field, value] : headers) {
    if (strcasecmp(field.c_str(), name.c_str()) == 0) {
      return value;
    }
  }
  return {};
}

Receiver::Receiver(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, raw, &size) != 0) {
    throw std::runtime_error("the receiver cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

Receiver::~Receiver() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int descriptor : open_) {
      ::shutdown(descriptor, SHUT_RDWR);
    }
  }
  for (std::thread& thread : threads_) {
    thread.join();
  }
  ::close(listener_);
}

std::string Receiver::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<Received> Receiver::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t Receiver::count() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

void Receiver::behave(Behaviour behaviour) {
  const std::lock_guard lock(mutex_);
  behaviour_ = std::move(behaviour);
}

bool Receiver::wait_for(std::size_t n) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (count() < n) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

void Receiver::accept_loop() {
  for (int number = 1; !stopping_; ++number) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) {
      return;
    }
    const std::lock_guard lock(mutex_);
    open_.push_back(descriptor);
    threads_.emplace_back([this, descriptor, number] { serve(descriptor, number); });
  }
}

void Receiver::serve(int descriptor, int number) {
  std::string buffer;
  while (std::optional<Received> request = read_request(descriptor, buffer)) {
    request->connection = number;
    Behaviour behaviour;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(*request);
      behaviour = behaviour_;
    }
    if (!answer(descriptor, behaviour(*request))) {
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, descriptor);
  ::close(descriptor);
}

bool Receiver::answer(int descriptor, const Reaction& reaction) {
  std::string ignored;
  switch (reaction.kind) {
    case Reaction::Kind::Hang:
      while (receive_more(descriptor, ignored)) {
      }
      return false;
    case Reaction::Kind::Cut:
      return false;
    case Reaction::Kind::Raw:
      send_all(descriptor, reaction.fields);
      return false;
    case Reaction::Kind::CutInBody:
      send_all(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
      return false;
    case Reaction::Kind::Answer:
      break;
  }
  return send_all(descriptor,
                  "HTTP/1.1 " + std::to_string(reaction.status) + " X\r\n" + reaction.fields +
                      "Content-Length: " + std::to_string(reaction.body.size()) + "\r\n\r\n" +
                      reaction.body);
}

}  // namespace edge::test
