// SPDX-License-Identifier: MIT
// An installation without a daemon: a real store in a directory of its own, a scripted network.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/edge.h"
#include "core/storage/open.h"
#include "tests/support/fakes.h"
#include "tests/support/raw_files.h"
#include "tests/support/scripted_http.h"

namespace edge::test {

class Installation {
 public:
  explicit Installation(const std::function<void(config::Config&)>& change = {},
                        storage::Options options = {})
      : options_(options) {
    config_.outbound.allow_http = true;
    config_.data_dir = folder_ / "installation";
    if (change) {
      change(config_);
    }
    open();
  }

  void reopen() {
    edge.reset();
    open();
  }
  void open() {
    auto store = storage::open(data(), options_, clock, random_);
    REQUIRE(store);
    auto scripted = std::make_unique<ScriptedHttp>();
    http = scripted.get();
    auto built = Edge::build({.config = config_,
                              .secrets = config::Secrets({}),
                              .store = std::move(*store),
                              .http = std::move(scripted)},
                             clock,
                             random_);
    if (!built) {
      FAIL(built.error().message);
    }
    edge = std::move(*built);
  }

  events::Outcome take(const std::string& event, events::Origin origin = {.source = "web"}) {
    const auto outcome = edge->ingest.accept_now(event, origin);
    REQUIRE(outcome);
    return *outcome;
  }
  void fold() { REQUIRE(edge->projector.drain()); }
  /// Carries out all regulations on this thread.
  Result<bool> work() {
    return edge->regulations.work({}, [this] { return edge->projector.drain(); });
  }
  std::string start(const RegulationRequest& request) {
    const auto id = edge->regulations.start(request);
    REQUIRE(id);
    return *id;
  }
  std::string profile(const std::string& user) {
    const auto found = edge->profiles.find(profiles::Name::UserId, user);
    REQUIRE(found);
    return *found ? edge->profiles.document(**found, clock.now()) : "";
  }
  std::vector<std::string> events() {
    const auto found = edge->store.find({.stream = events::kStream, .limit = 1'000},
                                        storage::Deadline::in(std::chrono::seconds{10}));
    REQUIRE(found);
    std::vector<std::string> ids;
    for (auto record = found->records.rbegin(); record != found->records.rend(); ++record) {
      ids.push_back((*record)->id);
    }
    return ids;
  }
  std::string body_of(const std::string& id) {
    const auto found = edge->store.find({.stream = events::kStream, .id = id, .limit = 1},
                                        storage::Deadline::in(std::chrono::seconds{10}));
    REQUIRE(found);
    return found->records.empty() ? "" : found->records.front()->body;
  }
  /// Files of the store whose raw octets contain a text.
  std::vector<std::string> files_with(const std::string& text) {
    return test::files_with(data(), text);
  }
  [[nodiscard]] std::string data() const { return folder_ / "data"; }

  FakeClock clock;
  std::unique_ptr<Edge> edge;
  ScriptedHttp* http = nullptr;

 private:
  TempDir folder_;
  SeededRandom random_{11};
  config::Config config_;
  storage::Options options_;
};

}  // namespace edge::test
