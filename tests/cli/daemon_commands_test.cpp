// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

bool has_daemon() {
  return ::access((edge::test::bin_dir() + "/edged").c_str(), X_OK) == 0;
}

/// Stops the daemon of a sandbox at the end of a test, whatever happened.
struct StopAtEnd {
  const Sandbox& sandbox;
  ~StopAtEnd() { sandbox.edgectl({"down"}); }
};

}  // namespace

TEST_CASE("without a daemon status exits with 6 and says how to start one", "[cli]") {
  const Sandbox sandbox;

  const Finished status = sandbox.edgectl({"status"});
  const Finished elsewhere = sandbox.edgectl({"status", "--url", "http://127.0.0.1:1"});
  const Finished down = sandbox.edgectl({"down"});
  const Finished logs = sandbox.edgectl({"logs"});

  CHECK(status.exit == 6);
  CHECK(status.err.find("try: edgectl up") != std::string::npos);
  CHECK(elsewhere.exit == 6);
  CHECK(elsewhere.err.find("no daemon at http://127.0.0.1:1 (") != std::string::npos);
  CHECK(elsewhere.err.find("try: edgectl up") != std::string::npos);
  CHECK(down.exit == 0);
  CHECK(logs.exit == 5);
}

TEST_CASE("the runtime file of a process that has gone is removed", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("run/edgectl/edged.json",
                R"({"pid":2147483646,"url":"http://127.0.0.1:1","version":"1.0.0","started":""})");

  const Finished status = sandbox.edgectl({"status"});

  CHECK(status.exit == 6);
  CHECK(sandbox.read("run/edgectl/edged.json").empty());
}

TEST_CASE("logs shows text, filters by level and request, and gives JSON back as it is", "[cli]") {
  const Sandbox sandbox;
  const std::string first =
      R"({"time":"2026-01-01T00:00:00.000Z","level":"info","message":"ready","url":"http://x"})";
  const std::string second =
      R"({"time":"2026-01-02T00:00:00.000Z","level":"error","message":"bad","requestId":"r-2"})";
  sandbox.write("state/edgectl/edged.log", first + "\n" + second + "\nno json\n");

  CHECK(sandbox.edgectl({"logs"}).out ==
        "2026-01-01T00:00:00.000Z info  ready url=http://x\n"
        "2026-01-02T00:00:00.000Z error bad requestId=r-2\nno json\n");
  CHECK(sandbox.edgectl({"logs", "--level", "warn", "--json"}).out == second + "\n");
  CHECK(sandbox.edgectl({"logs", "--request", "r-2", "--json"}).out == second + "\n");
  CHECK(sandbox.edgectl({"logs", "--since", "2026-01-01T12:00:00Z", "--json"}).out ==
        second + "\n");
}

TEST_CASE("edged prints its limits as file, overlay and environment set them", "[cli]") {
  const Sandbox sandbox;
  const std::string file = sandbox.write("edge.toml",
                                         "[server.limits]\nidle = \"7s\"\nbody = 2000000\n"
                                         "[env.big.server.limits]\nbody = 3000000\n");
  const auto limits = [&](std::vector<std::string> more, std::map<std::string, std::string> env) {
    more.insert(more.begin(),
                {edge::test::bin_dir() + "/edged", "--config", file, "--print-limits"});
    return sandbox.run(more, {.env = std::move(env)});
  };
  const auto row = [](const Finished& done, const std::string& name) {
    const std::size_t at = done.out.find("\n" + name + " ") + 1;
    std::istringstream words(done.out.substr(at, done.out.find('\n', at) - at));
    std::string first;
    std::string by_default;
    std::string configured;
    words >> first >> by_default >> configured;
    return by_default + " " + configured;
  };

  const Finished plain = limits({}, {});
  const Finished other = limits({"--env", "big"}, {{"EDGE_SERVER_LIMITS_IDLE", "9s"}});

  CHECK(plain.exit == 0);
  CHECK(row(plain, "idle") == "15000 7000");
  CHECK(row(plain, "body") == "1048576 2000000");
  CHECK(row(plain, "head") == "32768 32768");
  CHECK(row(other, "idle") == "15000 9000");
  CHECK(row(other, "body") == "1048576 3000000");
  const Finished wrong = limits({}, {{"EDGE_SERVER_LIMITS_CONNECTIONS", "0"}});
  CHECK(wrong.exit == 3);
  CHECK(wrong.err.find("server.limits.connections") != std::string::npos);
}

TEST_CASE("doctor names what is wrong and what to do", "[cli]") {
  const Sandbox sandbox;
  sandbox.edgectl({"config", "init"});

  const Finished good = sandbox.edgectl({"doctor"});
  const Finished weak = sandbox.edgectl({"doctor"}, {.env = {{"JWT_SECRET", "changeme"}}});
  sandbox.write("edge.toml", "[server]\nlisten = [\"nowhere\"]\n");
  const Finished broken = sandbox.edgectl({"doctor"});

  CHECK(good.out.find("pixel keys\tok\tkey 1 is active") != std::string::npos);
  CHECK(good.out.find("data directory\tok") != std::string::npos);
  CHECK(weak.exit == 1);
  CHECK(weak.out.find("secrets\tFAIL\tJWT_SECRET is weak") != std::string::npos);
  CHECK(broken.exit == 1);
  CHECK(broken.out.find("configuration\tFAIL\tserver.listen: 'nowhere'") != std::string::npos);
}

TEST_CASE("up starts the daemon, says so again, and down stops it", "[cli]") {
  if (!has_daemon()) {
    WARN("edged is not built");
    return;
  }
  const Sandbox sandbox;
  sandbox.edgectl({"config", "init"});
  const StopAtEnd stop{sandbox};

  const Finished up = sandbox.edgectl({"up", "--port", "0"});
  const Finished again = sandbox.edgectl({"up"});
  const Finished tracked = sandbox.edgectl({"track", "Tried", "-u", "u-1"});
  const Finished sent_again =
      sandbox.edgectl({"track", "Tried", "-u", "u-1", "--message-id", tracked.out.substr(0, 41)});
  const Finished status =
      sandbox.edgectl({"status", "--json", "--select", "/status", "--select", "/events"});
  const Finished told = sandbox.edgectl({"status"});
  const Finished down = sandbox.edgectl({"down"});
  const Finished gone = sandbox.edgectl({"status"});

  INFO(up.err << sandbox.read("state/edgectl/edged.log"));
  CHECK(up.exit == 0);
  CHECK(up.out.find("edged 1.0.0 ready in ") == 0);
  CHECK(up.out.find("http://127.0.0.1:") != std::string::npos);
  CHECK(again.exit == 0);
  CHECK(again.out.find("is running already") != std::string::npos);
  CHECK(tracked.exit == 0);
  CHECK(sent_again.exit == 0);
  CHECK(status.out == "healthy\t2\n");
  CHECK(told.out.find("source default\t2 received, 1 duplicates (the last: " +
                      tracked.out.substr(0, 41) + ")\n") != std::string::npos);
  CHECK(down.exit == 0);
  CHECK(gone.exit == 6);
}

TEST_CASE("up exits with 9 when the port is taken and with 3 for a refused configuration",
          "[cli]") {
  if (!has_daemon()) {
    WARN("edged is not built");
    return;
  }
  const Sandbox first;
  const Sandbox second;
  const StopAtEnd stop_first{first};
  const StopAtEnd stop_second{second};

  REQUIRE(first.edgectl({"up", "--port", "0"}).exit == 0);
  const std::string url = first.edgectl({"status", "--json", "--select", "/url"}).out;
  const std::string port = url.substr(url.rfind(':') + 1, url.size() - url.rfind(':') - 2);
  const Finished taken = second.edgectl({"up", "--port", port});
  second.write("edge.toml", "[auth]\nmod = \"demo\"\n");
  const Finished refused = second.edgectl({"up", "--port", "0"});

  INFO(taken.err << refused.err);
  CHECK(taken.exit == 9);
  CHECK(refused.exit == 3);
}
