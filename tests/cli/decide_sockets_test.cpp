// SPDX-License-Identifier: MIT
// Deciding on a file asks nobody: no system call of the network is made.
#include <catch2/catch.hpp>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

/// The network calls of a run of edgectl, a line each.
std::string network_calls(const Sandbox& sandbox, std::vector<std::string> arguments, int exit) {
  std::vector<std::string> command{"strace",
                                   "-f",
                                   "-qq",
                                   "-e",
                                   "trace=network",
                                   "-e",
                                   "signal=none",
                                   "-o",
                                   sandbox.path("trace"),
                                   edge::test::bin_dir() + "/edgectl"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  // The leak check of a sanitized build does not work while another process traces it.
  const Finished done = sandbox.run(command, {.env = {{"ASAN_OPTIONS", "detect_leaks=0"}}});
  INFO(done.err);
  CHECK(done.exit == exit);
  return sandbox.read("trace");
}

}  // namespace

TEST_CASE("decide on a file makes no call of the network", "[cli]") {
  const Sandbox sandbox;
  if (sandbox.run({"strace", "-qq", "-o", sandbox.path("probe"), "true"}).exit != 0) {
    WARN("skipped: strace is not installed or may not trace here");
    return;
  }
  const std::string datafile = edge::test::source_dir() + "/cli/examples/flags.json";
  sandbox.write("batch.jsonl", "{\"userId\":\"u\"}\n");

  CHECK(network_calls(sandbox, {"decide", "--all", "-u", "u", "--datafile", datafile}, 0) == "");
  CHECK(
      network_calls(sandbox,
                    {"decide", "--batch", "batch.jsonl", "--workers", "3", "--datafile", datafile},
                    0) == "");
  CHECK(network_calls(sandbox,
                      {"decide",
                       "dark_mode",
                       "-u",
                       "u",
                       "--expect",
                       "!dark_mode",
                       "--explain",
                       "--datafile",
                       datafile},
                      0) == "");
  CHECK(network_calls(sandbox, {"status", "--url", "http://127.0.0.1:1"}, 6).find("socket(") !=
        std::string::npos);
}
