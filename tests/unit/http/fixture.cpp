// SPDX-License-Identifier: MIT
#include "tests/unit/http/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <stdexcept>

namespace edge::test {
namespace {

/// Reads the answer that begins at `begin`; sets `end` behind it. Nothing while it is incomplete.
std::optional<Answer> read_answer(const std::string& octets, std::size_t begin, std::size_t& end) {
  const std::size_t head_end = octets.find("\r\n\r\n", begin);
  if (head_end == std::string::npos) {
    return std::nullopt;
  }
  Answer answer;
  answer.head = octets.substr(begin, head_end + 2 - begin);
  answer.status = std::stoi(answer.head.substr(9, 3));
  const std::string length = answer.field("content-length");
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  if (octets.size() < head_end + 4 + size) {
    return std::nullopt;
  }
  answer.body = octets.substr(head_end + 4, size);
  end = head_end + 4 + size;
  return answer;
}

}  // namespace

std::string Answer::field(std::string_view name) const {
  std::string out;
  for (std::size_t begin = head.find("\r\n") + 2; begin < head.size();) {
    const std::size_t end = head.find("\r\n", begin);
    const std::string_view line = std::string_view(head).substr(begin, end - begin);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos &&
        http::equals_ignoring_case(line.substr(0, colon), name)) {
      out.append(out.empty() ? "" : ", ").append(line.substr(colon + 2));
    }
    begin = end + 2;
  }
  return out;
}

RawClient::RawClient(const http::Endpoint& server)
    : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() {
  ::close(descriptor_);
}

bool RawClient::read_some(std::chrono::milliseconds patience) {
  pollfd poll{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (ended_ || ::poll(&poll, 1, static_cast<int>(patience.count())) <= 0) {
    return false;
  }
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  ended_ = count <= 0;
  received_.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return !ended_;
}

void RawClient::send(std::string_view octets) {
  while (!octets.empty() && !ended_) {
    pollfd poll{.fd = descriptor_, .events = POLLIN | POLLOUT, .revents = 0};
    if (::poll(&poll, 1, 10'000) <= 0) {
      return;
    }
    if ((poll.revents & POLLIN) != 0) {
      read_some(std::chrono::milliseconds(0));
    }
    if ((poll.revents & POLLOUT) != 0) {
      const ssize_t count =
          ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN) {
        return;
      }
      octets.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
  }
}

void RawClient::finish() {
  ::shutdown(descriptor_, SHUT_WR);
}

bool RawClient::read_to_end(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!ended_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return false;
    }
    read_some(left);
  }
  return true;
}

Answer RawClient::next(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    std::size_t end = 0;
    if (auto answer = read_answer(received_, taken_, end)) {
      taken_ = end;
      if (answer->status >= 200) {
        return *std::move(answer);
      }
      continue;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (ended_ || left.count() <= 0 || (!read_some(left) && ended_)) {
      std::size_t ignored = 0;
      if (!read_answer(received_, taken_, ignored)) {
        return {};
      }
    }
  }
}

std::vector<Answer> RawClient::answers() const {
  std::vector<Answer> out;
  std::size_t begin = 0;
  while (auto answer = read_answer(received_, begin, begin)) {
    if (answer->status >= 200) {
      out.push_back(*std::move(answer));
    }
  }
  return out;
}

TestServer::TestServer(ServerConfig given)
    : config(std::move(given)), log_({.level = Log::Level::Off}, clock) {}

TestServer::~TestServer() {
  if (server_) {
    server_->stop(std::chrono::milliseconds(0));
  }
}

void TestServer::route(http::Method method,
                       std::string pattern,
                       http::RouteOptions options,
                       http::Handler handler) {
  router.add({.method = method,
              .pattern = std::move(pattern),
              .options = std::move(options),
              .handler = std::move(handler)});
}

void TestServer::add_sample_routes() {
  const http::SyncHandler ok = [](const http::Request&) -> Result<http::Response> {
    return http::json(R"({"status":"ok"})");
  };
  const http::SyncHandler wants_body = [](const http::Request& request) -> Result<http::Response> {
    if (request.body().empty()) {
      return Failure({ErrorCode::InvalidArgument, "the body is empty"});
    }
    return http::json(R"({"success":true})");
  };
  route(http::Method::Get, "/health/live", {.needs = http::Public}, ok);
  route(http::Method::Post,
        "/track/event",
        {.needs = http::Public,
         .accepts = http::Accepts::Any,
         .cors = http::Cors::Anyone,
         .any_host = true},
        wants_body);
  route(http::Method::Post, "/auth/login", {.needs = http::Public, .max_body = 16384}, wants_body);
  route(http::Method::Get, "/auth/me", {.needs = http::AnyIdentity}, ok);
  route(
      http::Method::Get,
      "/pixel/track/:token",
      {.needs = http::Public, .cors = http::Cors::Anyone, .any_host = true},
      [](const http::Request&) -> Result<http::Response> {
        http::Response response;
        response.type("image/gif").fixed_body("GIF89a").fixed_fields("Cache-Control: no-store\r\n");
        return response;
      });
}

void TestServer::start(std::size_t loops) {
  pool_ = std::make_unique<http::Pool>(1, config.limits.pool_queue);
  chain_ = std::make_unique<Chain>(config, router, clock, log_, metrics);
  middleware::add_all(*chain_);
  pipeline_ = std::make_unique<Pipeline>(*chain_, *pool_);
  server_ = std::make_unique<http::HttpServer>(http::HttpServer::Parts{.service = *pipeline_,
                                                                       .limits = config.limits,
                                                                       .clock = clock,
                                                                       .random = random_,
                                                                       .loops = loops});
  const http::Endpoint any_port{.address = *http::Address::parse("127.0.0.1"), .port = 0};
  further_.insert(further_.begin(), any_port);
  for (const http::Endpoint& endpoint : further_) {
    if (const auto listened = server_->listen(endpoint, door); !listened) {
      throw std::runtime_error(listened.error().message);
    }
  }
  server_->start();
}

Answer TestServer::ask(std::string_view octets) const {
  RawClient client(endpoint());
  client.send(octets);
  return client.next();
}

}  // namespace edge::test
