// SPDX-License-Identifier: MIT
// An installation over a store in memory behind a whole server, for the routes that take events.
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/edge.h"
#include "core/events/ingest.h"
#include "daemon/lifecycle.h"
#include "daemon/routes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/http/fixture.h"

namespace edge::test {

/// No request leaves the process.
class NoClient final : public transport::HttpClient {
 public:
  Result<transport::IncomingResponse> send(const transport::OutgoingRequest& /*request*/) override {
    return Failure({ErrorCode::Unavailable, "no network in this test"});
  }
};

inline constexpr const char* kLocalKey = "edl_0123456789abcdef0123456789abcdef0123456789a";
inline const std::string kAsOwner = std::string("Authorization: Bearer ") + kLocalKey + "\r\n";

/// An installation over a store in memory behind a server.
class IngestDaemon {
 public:
  explicit IngestDaemon(config::Config config = {}) : server({.local_key = kLocalKey}) {
    auto store = std::make_unique<MemoryStore>(server.clock);
    store_ = store.get();
    auto built = Edge::build({.config = std::move(config),
                              .secrets = config::Secrets({}),
                              .store = std::move(store),
                              .http = std::make_unique<NoClient>()},
                             server.clock,
                             random_);
    REQUIRE(built);
    edge_ = std::move(*built);
    Mount mount(server.router, *edge_, server.metrics, lifecycle_);
    routes::mount_all(mount);
    protocols::mount_all(mount);
    REQUIRE(server.router.check());
    REQUIRE(edge_->limits.load(false));
    server.config.limiter = &edge_->limits;
    server.start();
  }

  Answer ask(const std::string& method,
             const std::string& target,
             const std::string& fields,
             const std::string& body) {
    const bool has_host =
        fields.find("host:") != std::string::npos || fields.find("Host:") != std::string::npos;
    return server.ask(
        fmt::format("{} {} HTTP/1.1\r\n{}{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
                    method,
                    target,
                    has_host ? "" : "Host: localhost\r\n",
                    fields,
                    body.size(),
                    body));
  }
  Answer post(const std::string& target, const std::string& body, const std::string& fields = {}) {
    return ask("POST", target, "Content-Type: application/json\r\n" + fields, body);
  }
  std::vector<storage::RecordPointer> log() {
    return store_->read({.stream = events::kStream}, storage::Deadline::in(std::chrono::seconds(1)))
        ->records;
  }
  /// The stored event of that number, decoded.
  events::Event event(std::size_t index = 0) {
    const auto records = log();
    REQUIRE(index < records.size());
    INFO(records[index]->body);
    auto decoded = events::Event::decode(records[index]->body);
    REQUIRE(decoded);
    return std::move(*decoded);
  }
  Edge& edge() { return *edge_; }
  MemoryStore& store() { return *store_; }
  [[nodiscard]] std::string metrics() { return ask("GET", "/metrics", kAsOwner, "").body; }

  TestServer server;

 private:
  SystemRandom random_;
  Lifecycle lifecycle_;
  MemoryStore* store_ = nullptr;
  std::unique_ptr<Edge> edge_;
};

}  // namespace edge::test
