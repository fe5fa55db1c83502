// SPDX-License-Identifier: MIT
#include "daemon/http/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "daemon/http/carried.h"
#include "tests/support/fakes.h"
#include "tests/unit/http/fixture.h"

namespace edge::http {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

/// What a client of a Unix socket is told, whole.
std::string ask(const std::string& path, std::string_view octets) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, std::begin(address.sun_path));
  std::string out;
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::send(descriptor, octets.data(), octets.size(), MSG_NOSIGNAL) > 0) {
    std::array<char, 4096> buffer;
    ssize_t count = 0;
    while ((count = ::recv(descriptor, buffer.data(), buffer.size(), 0)) > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  ::close(descriptor);
  return out;
}

constexpr std::string_view kLive =
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("a Unix socket is for owner and group and goes with its listener", "[http]") {
  test::TempDir directory;
  const std::string path = directory / "run/edged.sock";
  {
    const auto listener = Listener::open({.path = path});
    REQUIRE(listener);

    CHECK(mode_of(path) == 0660);
    CHECK(mode_of(directory / "run") == 0750);
    CHECK(listener->endpoint().text() == "unix:" + path);
  }

  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a socket that a daemon left behind is replaced, one in use is not", "[http]") {
  test::TempDir directory;
  const std::string path = directory / "edged.sock";
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, std::begin(address.sun_path));
  REQUIRE(::bind(left, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(left);

  const auto first = Listener::open({.path = path});
  const auto second = Listener::open({.path = path});

  CHECK(first);
  REQUIRE_FALSE(second);
  CHECK(second.error().reason == "address_in_use");
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a file that is no socket is never replaced", "[http]") {
  test::TempDir directory;
  const std::string path = directory / "file";
  std::filesystem::create_directory(path);

  CHECK_FALSE(Listener::open({.path = path}));
  CHECK(std::filesystem::is_directory(path));
}

TEST_CASE("addresses of Unix sockets are absolute and short enough", "[http]") {
  CHECK(Endpoint::parse("unix:/run/e.sock")->path == "/run/e.sock");
  CHECK_FALSE(Endpoint::parse("unix:run/e.sock"));
  CHECK_FALSE(Endpoint::parse("unix:/" + std::string(107, 'x')));
}

TEST_CASE("requests through a Unix socket count as this machine's", "[http]") {
  test::TempDir directory;
  const std::string path = directory / "edged.sock";
  test::TestServer server;
  server.config.local_key = "edl_right";
  server.add_sample_routes();
  server.also_listen({.path = path});
  server.start();

  CHECK(ask(path, kLive).starts_with("HTTP/1.1 200"));
  CHECK(ask(path,
            "GET /auth/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
            "Bearer edl_right\r\n\r\n")
            .starts_with("HTTP/1.1 200"));
}

TEST_CASE("a listener carries only the surfaces and groups it names", "[http]") {
  const std::vector<std::string> names = {"ofrep", "metrics", "admin"};
  const auto carried = Carried::parse(names);
  REQUIRE(carried);
  const auto holds = [&](const char* pattern, Surface surface) {
    return carried->holds({.pattern = pattern, .options = {.surface = surface}});
  };

  CHECK(holds("/metrics", Surface::Seed));
  CHECK(holds("/admin/users/:id", Surface::Seed));
  CHECK(holds("/ofrep/v1/evaluate/flags", Surface::Ofrep));
  CHECK_FALSE(holds("/metricsx", Surface::Seed));
  CHECK_FALSE(holds("/track/event", Surface::Seed));
  CHECK_FALSE(holds("/metrics", Surface::Tracking));
  CHECK(Carried().holds({.pattern = "/track/event"}));
}

TEST_CASE("a surface that does not exist is named with those that do", "[http]") {
  const std::vector<std::string> names = {"metrix"};

  const auto carried = Carried::parse(names);

  REQUIRE_FALSE(carried);
  CHECK(carried.error().message.find("\"metrix\" is no surface; there are seed") == 0);
}

TEST_CASE("what a listener does not carry is not there", "[http]") {
  test::TestServer server;
  server.add_sample_routes();
  const std::vector<std::string> names = {"health"};
  server.door.carried = Carried::parse(names).value();
  server.start();

  CHECK(server.ask("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200);
  CHECK(server.ask("GET /auth/me HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404);
  CHECK(server.ask("GET /auth/login HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404);
  CHECK(server.ask("OPTIONS /auth/me HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404);
}

}  // namespace edge::http
