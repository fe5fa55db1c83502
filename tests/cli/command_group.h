// SPDX-License-Identifier: MIT
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/daemon_process.h"
#include "tests/support/process.h"

namespace edge::test {

using Words = std::vector<std::string>;

/// The commands of one group, or of any when its name is empty, on the local store or on a daemon
/// of their own.
class CommandGroup {
 public:
  CommandGroup(std::string name, bool remote) : name_(std::move(name)) {
    if (remote) {
      daemon_ = std::make_unique<DaemonProcess>("");
      REQUIRE(daemon_->start());
      sandbox.write("key", daemon_->key());
    }
  }

  [[nodiscard]] Finished run(Words words, const std::string& input = {}) const {
    if (!name_.empty()) {
      words.insert(words.begin(), name_);
    }
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
  const std::string name_;
  std::unique_ptr<DaemonProcess> daemon_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace edge::test
