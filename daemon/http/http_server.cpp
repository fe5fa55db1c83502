// SPDX-License-Identifier: MIT
#include "daemon/http/http_server.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace edge::http {
namespace {

constexpr std::size_t kAcceptsPerRound = 64;

/// How many connections this process may have: the limit, or what the file limit leaves.
std::size_t connection_limit(std::size_t wanted) {
  constexpr std::size_t kOtherDescriptors = 64;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
    return wanted;
  }
  const std::size_t left = files.rlim_cur > kOtherDescriptors * 2
                               ? files.rlim_cur - kOtherDescriptors
                               : kOtherDescriptors;
  return std::min(wanted, left);
}

int open_reserve() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

HttpServer::HttpServer(Parts parts)
    : parts_(std::move(parts)),
      admission_(parts_.limits.connections_per_address, parts_.exempt),
      reserve_(open_reserve()) {
  const std::size_t share =
      std::max<std::size_t>(connection_limit(parts_.limits.connections) / parts_.loops, 1);
  for (std::size_t i = 0; i < parts_.loops; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(EventLoop::Parts{.service = parts_.service,
                                                                  .limits = parts_.limits,
                                                                  .clock = parts_.clock,
                                                                  .random = parts_.random,
                                                                  .admission = admission_,
                                                                  .max_connections = share}));
  }
}

HttpServer::~HttpServer() {
  stop(std::chrono::milliseconds(0));
  if (reserve_ >= 0) {
    ::close(reserve_);
  }
}

Result<void> HttpServer::listen(const Endpoint& endpoint, const Door& door) {
  auto listener = Listener::open(endpoint);
  if (!listener) {
    return Failure(listener.error());
  }
  doors_.push_back(std::make_unique<const Door>(door));
  listeners_.push_back(std::make_unique<Listener>(*std::move(listener)));
  return {};
}

void HttpServer::start() {
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    loops_.front()->watch(
        listeners_[i]->descriptor(),
        [this, &listener = *listeners_[i], &door = *doors_[i]] { accept_from(listener, door); });
  }
  for (const auto& loop : loops_) {
    threads_.emplace_back([&loop = *loop](const std::stop_token& stop) {
      pthread_setname_np(pthread_self(), "http");
      loop.run(stop);
    });
  }
}

/// Runs on the first loop: hands what waits to the loops that have least to do.
void HttpServer::accept_from(const Listener& listener, const Door& door) {
  for (std::size_t i = 0; i < kAcceptsPerRound; ++i) {
    Address peer;
    const int descriptor = listener.accept(peer);
    if (descriptor < 0) {
      if (Listener::is_exhausted() && reserve_ >= 0) {
        // Without this the waiting connection would keep the loop spinning.
        ::close(reserve_);
        const int turned_away = listener.accept(peer);
        if (turned_away >= 0) {
          ::close(turned_away);
        }
        reserve_ = open_reserve();
      }
      return;
    }
    if (!admission_.enter(peer)) {
      constexpr std::string_view kRefusal =
          "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: "
          "1\r\nContent-Length: 0\r\n\r\n";
      if (door.tls == nullptr) {
        [[maybe_unused]] const ssize_t ignored =
            ::send(descriptor, kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL);
      }
      parts_.service.refused(503);
      ::close(descriptor);
      continue;
    }
    const auto least =
        std::ranges::min_element(loops_, {}, [](const auto& loop) { return loop->connections(); });
    (*least)->adopt(descriptor, peer, door);
  }
}

void HttpServer::stop(std::chrono::milliseconds patience) {
  for (const auto& loop : loops_) {
    loop->drain();
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  while (connections() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  threads_.clear();
  listeners_.clear();
}

std::vector<Endpoint> HttpServer::endpoints() const {
  std::vector<Endpoint> out;
  for (const auto& listener : listeners_) {
    out.push_back(listener->endpoint());
  }
  return out;
}

std::size_t HttpServer::connections() const {
  std::size_t total = 0;
  for (const auto& loop : loops_) {
    total += loop->connections();
  }
  return total;
}

}  // namespace edge::http
