// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/process.h"

using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::RunOptions;
using edge::test::Sandbox;

namespace {

using Words = std::vector<std::string>;

/// `edgectl state …` on the local store, or on a daemon.
class State {
 public:
  explicit State(bool remote) {
    if (remote) {
      daemon_ = std::make_unique<DaemonProcess>("");
      REQUIRE(daemon_->start());
      sandbox.write("key", daemon_->key());
    }
  }

  [[nodiscard]] Finished run(Words words, const std::string& input = {}) const {
    words.insert(words.begin(), "state");
    if (daemon_) {
      words.insert(words.end(), {"--url", daemon_->url(), "--token-file", sandbox.path("key")});
    }
    return sandbox.edgectl(words, RunOptions{.input = input});
  }
  /// What it prints when all is well.
  std::string out(const Words& words, const std::string& input = {}) const {
    const Finished done = run(words, input);
    INFO(done.err);
    CHECK(done.exit == 0);
    return done.out;
  }
  /// Exit code and message.
  [[nodiscard]] std::string refusal(const Words& words, const std::string& input = {}) const {
    const Finished done = run(words, input);
    return std::to_string(done.exit) + " " + done.err;
  }

  Sandbox sandbox;

 private:
  std::unique_ptr<DaemonProcess> daemon_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("state is put, got, shown, listed and deleted, here and through a daemon",
          "[cli][state]") {
  const State state(GENERATE(false, true));

  CHECK(contains(state.out({"put", "shop", "a/b c", R"({"n": 1.50})", "--format", "json"}),
                 R"("schema": "edge.state-put/1")"));
  state.out({"put", "shop", "b", "--ttl", "1h"}, " [1, 2] \n");
  CHECK(state.out({"get", "shop", "a/b c"}) == "{\"n\": 1.50}\n");
  CHECK(state.out({"get", "shop", "b"}) == "[1, 2]\n");
  CHECK(contains(state.out({"show", "shop", "b", "--format", "json"}), "\"expiresAt\": "));
  CHECK(contains(state.out({"list", "shop", "--limit", "1", "--format", "json"}), "\"a/b c\""));
  CHECK(contains(state.out({"list", "shop", "--reverse", "--limit", "1", "--format", "json"}),
                 "\"key\": \"b\""));
  CHECK(contains(state.refusal({"put", "shop", "b", "3", "--if-version", "0"}), "the version is "));
  state.out({"put", "shop", "c", "3", "--if-version", "0"});
  CHECK(contains(state.refusal({"delete", "shop", "c", "--if-version", "999999"}),
                 "the version is "));
  state.out({"delete", "shop", "c"});
  CHECK(contains(state.run({"delete", "shop", "c"}).err, "there was no key"));
  CHECK(state.refusal({"get", "shop", "c"}).starts_with("5 "));
  CHECK(state.refusal({"show", "elsewhere", "b"}).starts_with("5 "));
}

TEST_CASE("what is wrong with a command for state is named", "[cli][state]") {
  const State state(false);

  CHECK(contains(state.refusal({"put", "no/space", "k", "1"}), "\"no/space\" is no namespace"));
  CHECK(contains(state.refusal({"put", "n", "", "1"}), "a key has 1 to 2048 octets"));
  CHECK(contains(state.refusal({"put", "n", "k", "text"}), "a text is written \"so\""));
  CHECK(contains(state.refusal({"put", "n", "k", "1", "--if-version", "-1"}), "from 0 on"));
  CHECK(contains(state.refusal({"list", "n", "--limit", "0"}), "--limit is too small"));
  CHECK(contains(state.run({"put", "n", "k", "1", "-n"}).err, "would write \"k\""));
  CHECK(state.refusal({"get", "n", "k"}).starts_with("5 "));
}
