// SPDX-License-Identifier: MIT
// Clients that send slowly, not at all, or never read, against a real daemon with its default
// limits (identity spec 6.2, reliability spec 3).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/daemon_process.h"

using edge::test::DaemonProcess;
using std::chrono::steady_clock;

namespace {

/// KiB that a client may cost; the address sanitizer keeps what was freed.
#ifdef __SANITIZE_ADDRESS__
constexpr long kMoreMemory = 512 * 1024;
#else
constexpr long kMoreMemory = 16 * 1024;
#endif

constexpr std::string_view kLive =
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

/// A client socket without blocking.
class Client {
 public:
  explicit Client(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
  }
  ~Client() { ::close(descriptor_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&&) = delete;
  Client& operator=(Client&&) = delete;

  void send(std::string_view octets) const {
    [[maybe_unused]] const ssize_t ignored =
        ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
  }
  /// Reads what is there; true while the server keeps the connection.
  bool is_open() {
    std::array<char, 4096> buffer;
    ssize_t count = 0;
    while ((count = ::recv(descriptor_, buffer.data(), buffer.size(), 0)) > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    open_ = open_ && count < 0 && errno == EAGAIN;
    return open_;
  }
  [[nodiscard]] const std::string& received() const { return received_; }

 private:
  int descriptor_;
  bool open_ = true;
  std::string received_;
};

std::uint16_t port_of(const DaemonProcess& daemon) {
  return static_cast<std::uint16_t>(std::stoi(daemon.url().substr(daemon.url().rfind(':') + 1)));
}

/// A number of /proc/PID/status.
long status_of(const DaemonProcess& daemon, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(daemon.pid()) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name + ":")) {
      return std::stol(line.substr(name.size() + 1));
    }
  }
  return -1;
}

/// How long an honest client waits for `/health/live`; its answer must be 200.
std::chrono::milliseconds ask_live(std::uint16_t port) {
  const auto begin = steady_clock::now();
  Client client(port);
  client.send(kLive);
  while (client.is_open() && steady_clock::now() - begin < std::chrono::seconds(10)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // polls a real socket
  }
  CHECK(client.received().starts_with("HTTP/1.1 200"));
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
}

template <typename Clients>
std::size_t count_open(Clients& clients) {
  std::size_t open = 0;
  for (const auto& client : clients) {
    open += client->is_open() ? 1 : 0;
  }
  return open;
}

}  // namespace

TEST_CASE("[threat-32] 2000 dripping clients leave the daemon as it was and are gone in 20 s",
          "[integration][threat-32]") {
  raise_file_limit();
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  const std::uint16_t port = port_of(daemon);
  ask_live(port);
  const long threads = status_of(daemon, "Threads");
  const long memory = status_of(daemon, "VmRSS");
  constexpr std::string_view kHead = "POST /track/event HTTP/1.1\r\nHost: localhost\r\nX-Filler: ";
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 2000; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->send(kHead.substr(0, 1));
  }

  const auto begin = steady_clock::now();
  std::chrono::milliseconds slowest{0};
  long most_memory = 0;
  std::size_t open = clients.size();
  for (std::size_t second = 1; open > 0 && steady_clock::now() - begin < std::chrono::seconds(20);
       ++second) {
    slowest = std::max(slowest, ask_live(port));
    most_memory = std::max(most_memory, status_of(daemon, "VmRSS"));
    CHECK(status_of(daemon, "Threads") == threads);
    for (const auto& client : clients) {
      client->send(second < kHead.size() ? kHead.substr(second, 1) : "x");
    }
    std::this_thread::sleep_until(begin + std::chrono::seconds(second));  // one octet a second
    open = count_open(clients);
  }

  const auto took = std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - begin);
  std::printf(
      "dripping: 2000 clients, slowest /health/live %lld ms, %ld KiB more, gone after %lld s\n",
      static_cast<long long>(slowest.count()),
      most_memory - memory,
      static_cast<long long>(took.count()));
  CHECK(open == 0);
  CHECK(slowest < std::chrono::seconds(1));
  CHECK(most_memory - memory <= 64 * 1024);
  CHECK(clients.front()->received().starts_with("HTTP/1.1 408"));
  CHECK(daemon.stop(SIGTERM) == 0);
}

TEST_CASE("[threat-32] idle clients beyond the limit make room for honest ones",
          "[integration][threat-32]") {
  raise_file_limit();
  DaemonProcess daemon("[server.limits]\nconnections = 200\n");
  REQUIRE(daemon.start());
  const std::uint16_t port = port_of(daemon);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(std::make_unique<Client>(port));
  }

  for (int i = 0; i < 10; ++i) {
    CHECK(ask_live(port) < std::chrono::seconds(1));
  }

  CHECK(count_open(idle) <= 200);
  CHECK(daemon.stop(SIGTERM) == 0);
}

TEST_CASE("[threat-32] a client that never reads is dropped, others go on",
          "[integration][threat-32]") {
  DaemonProcess daemon("[server.limits]\nwrite_stall = \"1s\"\n");
  REQUIRE(daemon.start());
  const std::uint16_t port = port_of(daemon);
  Client greedy(port);
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  greedy.send(requests);
  const long memory = status_of(daemon, "VmRSS");

  const auto begin = steady_clock::now();
  const auto connections = [&] {
    Client client(port);
    client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    while (client.is_open() && steady_clock::now() - begin < std::chrono::seconds(30)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // polls a real socket
    }
    const std::string& text = client.received();
    const std::size_t at = text.find("\nedge_http_connections ");
    return at == std::string::npos ? 0 : std::stoi(text.substr(at + 23));
  };
  int open = connections();
  while (open > 1 && steady_clock::now() - begin < std::chrono::seconds(15)) {
    CHECK(ask_live(port) < std::chrono::seconds(1));
    open = connections();
  }

  CHECK(open == 1);
  CHECK(status_of(daemon, "VmRSS") - memory < kMoreMemory);
  CHECK(daemon.stop(SIGTERM) == 0);
}
