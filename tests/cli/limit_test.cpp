// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <csignal>
#include <string>

#include "tests/support/daemon_process.h"
#include "tests/support/process.h"

using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Sandbox;

namespace {

constexpr const char* kConfig =
    "[[limits]]\nname = \"mails\"\nlimit = 3\nperiod = 3600\nkey = \"user\"\n";

}  // namespace

TEST_CASE("limits are listed, shown and reset without a daemon", "[cli][ratelimit]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", kConfig);

  const Finished list = sandbox.edgectl({"limit", "list", "--format", "jsonl"});
  const Finished reset = sandbox.edgectl({"limit", "reset", "mails", "u-42"});
  const Finished show =
      sandbox.edgectl({"limit", "show", "mails", "u-42", "--select", "/remaining"});
  const Finished unknown = sandbox.edgectl({"limit", "show", "letters", "u-42"});

  CHECK(list.exit == 0);
  CHECK(list.out.find(R"("name":"api","limit":100,"period":60)") != std::string::npos);
  CHECK(list.out.find(R"("name":"mails","limit":3)") != std::string::npos);
  CHECK(show.exit == 0);
  CHECK(show.out == "3\n");
  CHECK(reset.exit == 0);
  CHECK(unknown.exit == 5);
  CHECK(unknown.err.find("there is no limit \"letters\"") != std::string::npos);
}

TEST_CASE("a program asks a limit of the daemon; the count survives a restart",
          "[cli][ratelimit]") {
  const Sandbox sandbox;
  DaemonProcess daemon(kConfig);
  REQUIRE(daemon.start());
  const auto ask = [&](const char* method, const std::string& path, const std::string& body) {
    return sandbox.run({"curl",
                        "-s",
                        "-X",
                        method,
                        "-H",
                        "Content-Type: application/json",
                        "-H",
                        "Authorization: Bearer " + daemon.key().substr(0, 47),
                        "-d",
                        body,
                        "-D",
                        "-",
                        daemon.url() + path});
  };

  const Finished first = ask("POST", "/api/ratelimit/mails", R"({"key":"u-42","cost":2})");
  const Finished second = ask("POST", "/api/ratelimit/mails", R"({"key":"u-42","cost":2})");
  const Finished never = ask("POST", "/api/ratelimit/mails", R"({"key":"u-42","cost":4})");
  const Finished wrong = ask("POST", "/api/ratelimit/mails", R"({"key":""})");
  const Finished unknown = ask("POST", "/api/ratelimit/letters", R"({"key":"u-42"})");
  REQUIRE(daemon.stop(SIGTERM) == 0);
  REQUIRE(daemon.start());
  const Finished after = ask("GET", "/api/ratelimit/mails/u-42", "");
  const Finished reset = ask("DELETE", "/api/ratelimit/mails/u-42", "");
  const Finished fresh = ask("GET", "/api/ratelimit/mails/u-42", "");

  CHECK(first.out.find(R"("success":true,"remaining":1)") != std::string::npos);
  CHECK(first.out.find("RateLimit: \"mails\";r=1;t=2400\r\n") != std::string::npos);
  CHECK(second.out.find("HTTP/1.1 200") == 0);
  CHECK(second.out.find(R"("success":false,"remaining":1)") != std::string::npos);
  CHECK(second.out.find("Retry-After: ") != std::string::npos);
  CHECK(never.out.find("Retry-After: ") == std::string::npos);
  CHECK(wrong.out.find("HTTP/1.1 400") == 0);
  CHECK(wrong.out.find(R"("pointer":"/key")") != std::string::npos);
  CHECK(unknown.out.find("HTTP/1.1 404") == 0);
  CHECK(after.out.find(R"("remaining":1)") != std::string::npos);
  CHECK(reset.out.find("HTTP/1.1 204") == 0);
  CHECK(fresh.out.find(R"("remaining":3)") != std::string::npos);
}
