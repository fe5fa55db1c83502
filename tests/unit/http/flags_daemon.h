// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "core/edge.h"
#include "daemon/lifecycle.h"
#include "daemon/routes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/http/auth_daemon.h"
#include "tests/unit/http/fixture.h"

namespace edge::test {

/// An installation with a datafile and a running projector behind a server. A bearer token is the
/// role of whoever sends it; `edl_test` may do everything.
class FlagsDaemon {
 public:
  explicit FlagsDaemon(std::string_view datafile,
                       const std::function<void(config::Config&)>& change = {}) {
    config::Config config;
    config.flags.datafile = folder_ / "flags.json";
    write(datafile);
    if (change) {
      change(config);
    }
    auto built = Edge::build({.config = std::move(config),
                              .secrets = config::Secrets({}),
                              .store = std::make_unique<MemoryStore>(server_.clock),
                              .http = std::make_unique<NoClient>()},
                             server_.clock,
                             random_);
    REQUIRE(built);
    edge_ = std::move(*built);
    Mount mount(server_.router, *edge_, server_.metrics, lifecycle_);
    routes::mount_all(mount);
    protocols::mount_all(mount);
    server_.config.local_key = "edl_test";
    server_.config.authenticator = &claimed_;
    server_.start();
    projector_ = std::jthread([this](const std::stop_token& stop) { edge_->projector.run(stop); });
  }

  void write(std::string_view datafile) const {
    std::ofstream(folder_ / "flags.json", std::ios::binary) << datafile;
  }

  /// `fields`: further field lines, each with its line end.
  [[nodiscard]] Answer post(std::string_view target,
                            std::string_view body,
                            std::string_view fields = {}) const {
    return server_.ask(
        fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}"
                    "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                    target,
                    fields,
                    body.size(),
                    body));
  }
  [[nodiscard]] Answer ask(std::string_view method,
                           std::string_view target,
                           std::string_view fields = {}) const {
    return server_.ask(
        fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}Connection: close\r\n\r\n",
                    method,
                    target,
                    fields));
  }

  [[nodiscard]] Edge& edge() { return *edge_; }
  [[nodiscard]] FakeClock& clock() { return server_.clock; }
  [[nodiscard]] http::Endpoint endpoint() const { return server_.endpoint(); }

 private:
  TempDir folder_;
  SystemRandom random_;
  Lifecycle lifecycle_;
  Claimed claimed_;
  std::unique_ptr<Edge> edge_;
  TestServer server_;
  std::jthread projector_;
};

}  // namespace edge::test
