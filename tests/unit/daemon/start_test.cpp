// SPDX-License-Identifier: MIT
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/runtime_files.h"
#include "tests/support/fakes.h"

namespace edge {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("edged reads its flags in both spellings", "[daemon]") {
  const std::vector<const char*> arguments = {"--config=none",
                                              "--listen",
                                              "127.0.0.1:1",
                                              "--listen=[::1]:2",
                                              "--demo",
                                              "--log-format",
                                              "json",
                                              "--behind-proxy",
                                              "--pid-file",
                                              "p"};

  const auto parsed = read_command_line(arguments);

  REQUIRE(std::holds_alternative<CommandLine>(parsed));
  const auto& line = std::get<CommandLine>(parsed);
  CHECK(line.action == CommandLine::Action::Serve);
  CHECK(line.sources.file == "none");
  CHECK(line.sources.flags == decltype(line.sources.flags){{"server.listen", "127.0.0.1:1,[::1]:2"},
                                                           {"auth.mode", "demo"}});
  CHECK(line.log.format == Log::Format::Json);
  CHECK(line.consent.behind_proxy);
  CHECK(line.pid_file == "p");
}

TEST_CASE("edged names the flag that it does not understand", "[daemon]") {
  const auto [arguments, code, named] = GENERATE(table<std::vector<const char*>, int, std::string>({
      {{"--bogus"}, 2, "--bogus"},
      {{"--listen"}, 2, "--listen needs"},
      {{"--demo=1"}, 2, "--demo takes no value"},
      {{"--log-level", "loud"}, 2, "\"loud\" is no value for --log-level"},
      {{"serve"}, 2, "serve"},
      {{"--version"}, 0, "edged "},
      {{"--demo", "--help"}, 0, "--print-limits"},
  }));

  const auto parsed = read_command_line(arguments);

  REQUIRE(std::holds_alternative<EarlyExit>(parsed));
  CHECK(std::get<EarlyExit>(parsed).code == code);
  CHECK(std::get<EarlyExit>(parsed).text.find(named) != std::string::npos);
}

TEST_CASE("the limits are printed by default and as configured", "[daemon]") {
  http::Limits limits;
  limits.connections = 77;
  config::HttpLimits bodies;
  bodies.auth_body = 99;

  const std::string text = limits_text(limits, bodies);

  CHECK(text.starts_with("limit                       default     configured  unit\n"));
  CHECK(text.find("\nconnections                 4096        77          (or the file") !=
        std::string::npos);
  CHECK(text.find("\nauth_body                   16384       99          octets\n") !=
        std::string::npos);
  CHECK(text.find("\nidle                        15000       15000       ms\n") !=
        std::string::npos);
}

TEST_CASE("the runtime files are private and go with the daemon", "[daemon]") {
  const test::TempDir directory;
  SeededRandom random(1);
  const std::string key = make_local_key(random);
  const std::filesystem::path runtime = directory.path() / "edgectl";
  struct stat found {};
  {
    const auto files =
        RuntimeFiles::write(runtime, {.url = "http://127.0.0.1:1", .local_key = key});
    REQUIRE(files);

    REQUIRE(::stat((runtime / "edged.key").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600U);
    CHECK(content_of(runtime / "edged.key") == key + "\n");
    CHECK(content_of(runtime / "edged.json").find("\"url\":\"http://127.0.0.1:1\"") !=
          std::string::npos);
    REQUIRE(::stat(runtime.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0700U);
  }

  CHECK(std::filesystem::is_empty(runtime));
  CHECK(key.size() == 47);
}

TEST_CASE("a runtime directory that others may enter is refused", "[daemon]") {
  const test::TempDir directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));

  const auto files = RuntimeFiles::write(directory.path(), {.url = "u", .local_key = "k"});

  REQUIRE_FALSE(files);
  CHECK(files.error().reason == "insecure_directory");
}

TEST_CASE("the service manager gets one datagram", "[daemon]") {
  const test::TempDir directory;
  const std::string path = directory / "notify";
  const int receiver = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path, std::begin(address.sun_path));
  REQUIRE(::bind(receiver, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);

  Notifier(path).tell("READY=1");
  Notifier("").tell("READY=1");

  std::array<char, 64> buffer{};
  CHECK(::recv(receiver, buffer.data(), buffer.size(), MSG_DONTWAIT) == 7);
  CHECK(std::string(buffer.data()) == "READY=1");
  ::close(receiver);
}

}  // namespace edge
