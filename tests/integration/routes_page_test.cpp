// SPDX-License-Identifier: MIT
// man/edge-http.7 names routes; a running daemon must have each.
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <string>

#include "tests/support/daemon_process.h"
#include "tests/support/process.h"

using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Sandbox;

TEST_CASE("every route that the page names is there", "[integration]") {
  const Sandbox sandbox;
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  std::ifstream page(edge::test::source_dir() + "/man/edge-http.7");
  constexpr std::string_view kItem = ".It Cm ";

  std::size_t named = 0;
  std::string line;
  while (std::getline(page, line)) {
    const std::size_t slash = line.find(" /");
    if (!line.starts_with(kItem) || slash == std::string::npos) {
      continue;
    }
    const std::string method = line.substr(kItem.size(), slash - kItem.size());
    const Finished answer =
        sandbox.run({"curl", "-s", "-i", "-X", "OPTIONS", daemon.url() + line.substr(slash + 1)});
    INFO(line << "\n" << answer.out);
    const std::size_t allow = answer.out.find("\r\nAllow: ");
    REQUIRE(allow != std::string::npos);
    const std::string allowed =
        answer.out.substr(allow, answer.out.find("\r\n", allow + 2) - allow);
    CHECK(allowed.find(method) != std::string::npos);
    ++named;
  }

  CHECK(named > 20);
  CHECK(daemon.stop(SIGTERM) == 0);
}
