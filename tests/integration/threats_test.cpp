// SPDX-License-Identifier: MIT
// Abuse of a real daemon (identity spec 7): what only a whole process can show. The tag
// `[threat-N]` names the row of that table, here and in the unit tests.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/daemon_process.h"
#include "tests/support/process.h"

using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Sandbox;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// curl's answer, head included.
Finished curl(const Sandbox& sandbox, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"curl", "-s", "-i", "--max-time", "10"});
  return sandbox.run(arguments);
}

std::string bearer(const DaemonProcess& daemon) {
  const std::string key = daemon.key();
  return "Authorization: Bearer " + key.substr(0, key.find('\n'));
}

}  // namespace

TEST_CASE("[threat-29] a rebound name is refused by the running daemon, localhost is not",
          "[integration][threat-29]") {
  const Sandbox sandbox;
  DaemonProcess daemon("");
  REQUIRE(daemon.start());

  const Finished rebound =
      curl(sandbox, {"-H", "Host: evil.example", "-H", bearer(daemon), daemon.url() + "/auth/me"});
  const Finished local = curl(sandbox, {"-H", "Host: localhost", daemon.url() + "/health/live"});

  CHECK(rebound.out.find("HTTP/1.1 421 ") == 0);
  CHECK(local.out.find("HTTP/1.1 200 ") == 0);
}

TEST_CASE("[threat-35] a destination inside the own network is refused before anything connects",
          "[integration][threat-35]") {
  const Sandbox sandbox;
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  const auto create = [&](const std::string& name, const std::string& url) {
    curl(sandbox,
         {"-H",
          bearer(daemon),
          "--json",
          R"({"name":")" + name + R"(","type":"webhook","enabled":true,"url":")" + url + "\"}",
          daemon.url() + "/cdp/destinations"});
    return curl(
        sandbox,
        {"-H", bearer(daemon), "-X", "POST", daemon.url() + "/cdp/destinations/" + name + "/test"});
  };

  const Finished metadata = create("metadata", "https://169.254.169.254/latest/meta-data");
  const Finished itself = create("itself", "https://127.0.0.1:1/");
  const Finished clear = create("clear", "http://198.51.100.1/");

  for (const Finished* answer : {&metadata, &itself, &clear}) {
    INFO(answer->out);
    CHECK(answer->out.find("HTTP/1.1 200 ") != 0);
    CHECK(answer->out.find("\"success\":true") == std::string::npos);
  }
}

TEST_CASE("[threat-37] secrets reach neither log nor error bodies, and no core file is written",
          "[integration][threat-37]") {
  const Sandbox sandbox;
  const std::string secret = "a-secret-of-more-than-thirty-two-octets-0123456789";
  const std::string token = "IAFnQdtnEBBzdW1tZXItc2FsZS0yMDI0abcdefghijklmnop";
  DaemonProcess daemon("");
  REQUIRE(daemon.start({"--log-level", "debug"}, {{"JWT_SECRET", secret}}));

  const Finished click = curl(sandbox, {daemon.url() + "/pixel/click/" + token + "?sig=" + token});
  const Finished missing = curl(sandbox, {daemon.url() + "/pixel/nothing/" + token});
  const Finished login = curl(sandbox,
                              {"--json",
                               R"({"email":"a@b.example","password":")" + secret + "\"}",
                               daemon.url() + "/auth/login"});
  curl(sandbox, {"-H", "Authorization: Bearer " + token, daemon.url() + "/auth/me"});
  curl(sandbox, {"-H", "X-API-Key: " + token, daemon.url() + "/auth/me"});
  const std::string limits = read_file("/proc/" + std::to_string(daemon.pid()) + "/limits");
  const std::string arguments = read_file("/proc/" + std::to_string(daemon.pid()) + "/cmdline");
  const std::string key = daemon.key().substr(0, 47);
  REQUIRE(daemon.stop(SIGTERM) == 0);
  const std::string log = daemon.log();

  CHECK(limits.find("Max core file size        0 ") != std::string::npos);
  for (const std::string& text : {log, arguments, click.out, missing.out, login.out}) {
    INFO(text);
    CHECK(text.find(secret) == std::string::npos);
    CHECK(text.find(token) == std::string::npos);
    CHECK(text.find(key) == std::string::npos);
  }
  CHECK(log.find("/auth/me") != std::string::npos);
}

TEST_CASE("[threat-38] no request forges a line of the log", "[integration][threat-38]") {
  const Sandbox sandbox;
  const auto* const format = GENERATE("text", "json");
  DaemonProcess daemon("");
  REQUIRE(daemon.start({"--log-format", format}));
  const std::string forged = "forged-line";

  curl(sandbox, {daemon.url() + "/x%0d%0a" + forged});
  curl(sandbox, {"-H", "X-Request-Id: a%0a" + forged, daemon.url() + "/health/live"});
  curl(sandbox, {"-H", "X-Request-Id: \x1b[31m" + forged, daemon.url() + "/health/live"});
  curl(sandbox, {"-H", "traceparent: 00-" + forged, daemon.url() + "/health/live"});
  REQUIRE(daemon.stop(SIGTERM) == 0);

  const std::string log = daemon.log();
  CHECK(log.find(forged) == std::string::npos);
  CHECK(log.find('\x1b') == std::string::npos);
}

TEST_CASE("[threat-36] paths that climb lead nowhere", "[integration][threat-36]") {
  const Sandbox sandbox;
  DaemonProcess daemon("");
  REQUIRE(daemon.start());

  for (const char* path : {"/../../etc/passwd",
                           "/%2e%2e/%2e%2e/etc/passwd",
                           "/..%2f..%2fetc/passwd",
                           "/health/..%5c..%5cetc",
                           "//etc/passwd",
                           "/health/%00",
                           "/api/ratelimit/..%2f..%2fsecrets/x"}) {
    const Finished answer =
        curl(sandbox, {"--path-as-is", "-H", bearer(daemon), daemon.url() + path});
    INFO(path << answer.out);
    CHECK((answer.out.find("HTTP/1.1 400 ") == 0 || answer.out.find("HTTP/1.1 404 ") == 0));
    CHECK(answer.out.find("root:") == std::string::npos);
  }
}

TEST_CASE("a bind beyond this machine names every reason against it", "[integration]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", "[server]\nlisten = [\"0.0.0.0:0\"]\n");

  const Finished refused =
      sandbox.run({edge::test::bin_dir() + "/edged", "--config", sandbox.path("edge.toml")});

  CHECK(refused.exit == 3);
  CHECK(refused.err.find("will not listen beyond this machine") != std::string::npos);
  CHECK(refused.err.find("no administrator and no API key") != std::string::npos);
  CHECK(refused.err.find("--behind-proxy with server.trusted_proxies") != std::string::npos);
  CHECK(refused.err.find("server.public_url is not set") != std::string::npos);
}

TEST_CASE(
    "a daemon with TLS is asked by curl, reads its certificate anew and keeps a door in clear",
    "[integration][tls]") {
  const Sandbox sandbox;
  const std::string directory = sandbox.path("");
  edge::test::write_certificate(directory, "edge", edge::test::make_certificate(7));
  DaemonProcess daemon("[server]\nallowed_hosts = []\n[server.tls]\ncertificate = \"" + directory +
                       "/edge.crt\"\nkey = \"" + directory +
                       "/edge.key\"\n[[server.listeners]]\naddress = \"unix:" + directory +
                       "/run/edged.sock\"\nsurfaces = [\"health\"]\n");
  REQUIRE(daemon.start());
  REQUIRE(daemon.url().starts_with("https://127.0.0.1:"));
  const auto ask = [&] {
    return curl(sandbox, {"--cacert", directory + "/edge.crt", daemon.url() + "/health/live"});
  };

  const Finished first = ask();
  edge::test::write_certificate(directory, "edge", edge::test::make_certificate(8));
  const Finished stale = ask();
  ::kill(daemon.pid(), SIGHUP);
  Finished renewed = ask();
  for (int i = 0; i < 100 && renewed.exit != 0; ++i) {
    renewed = ask();
  }
  const Finished local = curl(
      sandbox, {"--unix-socket", directory + "/run/edged.sock", "http://localhost/health/live"});
  const Finished not_there =
      curl(sandbox, {"--unix-socket", directory + "/run/edged.sock", "http://localhost/metrics"});

  CHECK(first.out.find("HTTP/1.1 200 ") == 0);
  CHECK(first.out.find("Strict-Transport-Security: ") != std::string::npos);
  CHECK(stale.exit == 60);  // the old certificate is not the one in the file
  CHECK(renewed.out.find("HTTP/1.1 200 ") == 0);
  CHECK(local.out.find("HTTP/1.1 200 ") == 0);
  CHECK(local.out.find("Strict-Transport-Security: ") == std::string::npos);
  CHECK(not_there.out.find("HTTP/1.1 404 ") == 0);
  CHECK(daemon.stop(SIGTERM) == 0);
}
