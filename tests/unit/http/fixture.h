// SPDX-License-Identifier: MIT
// A whole HTTP server on a free loopback port with a handful of routes, and a client that sends raw
// octets.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics/metrics.h"
#include "daemon/http/http_server.h"
#include "daemon/log.h"
#include "daemon/middleware.h"
#include "daemon/pipeline.h"
#include "daemon/server_config.h"
#include "tests/support/fakes.h"

namespace edge::test {

/// One answer as it came over the wire.
struct Answer {
  int status = 0;
  std::string head;  ///< status line and fields with their line ends
  std::string body;
  /// The value of a field (any case), empty when it is not there; several are joined by ", ".
  [[nodiscard]] std::string field(std::string_view name) const;
};

/// A blocking client connection. All waits end after ten seconds.
class RawClient {
 public:
  explicit RawClient(const http::Endpoint& server);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient(RawClient&&) = delete;
  RawClient& operator=(RawClient&&) = delete;

  /// Sends what the server takes; reads meanwhile, so that neither side stops the other.
  void send(std::string_view octets);
  /// Says that no more octets come.
  void finish();
  /// Reads until the server ends the connection; false when it did not in time.
  bool read_to_end(std::chrono::milliseconds patience = std::chrono::seconds(10));
  /// The next final answer; status 0 when none came.
  Answer next(std::chrono::milliseconds patience = std::chrono::seconds(10));
  /// All final answers among what was received.
  [[nodiscard]] std::vector<Answer> answers() const;
  [[nodiscard]] const std::string& received() const { return received_; }

 private:
  bool read_some(std::chrono::milliseconds patience);
  int descriptor_;
  bool ended_ = false;
  std::size_t taken_ = 0;
  std::string received_;
};

/// Router, pipeline and server. Add routes before `start`.
class TestServer {
 public:
  explicit TestServer(ServerConfig config = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  TestServer(TestServer&&) = delete;
  TestServer& operator=(TestServer&&) = delete;

  void route(http::Method method,
             std::string pattern,
             http::RouteOptions options,
             http::Handler handler);
  /// The routes that the vectors name, with handlers that do little.
  void add_sample_routes();
  /// A further place to listen at from `start` on.
  void also_listen(http::Endpoint endpoint) { further_.push_back(std::move(endpoint)); }
  void start(std::size_t loops = 1);
  [[nodiscard]] http::Endpoint endpoint() const { return server_->endpoints().front(); }
  [[nodiscard]] http::HttpServer& server() { return *server_; }
  [[nodiscard]] std::size_t waiting_jobs() const { return pool_->waiting(); }
  /// One request on a connection of its own.
  [[nodiscard]] Answer ask(std::string_view octets) const;

  ServerConfig config;
  http::Door door;
  FakeClock clock{from_ms(1'700'000'000'000)};
  metrics::Registry metrics;
  http::Router router;

 private:
  SystemRandom random_;
  Log log_;
  std::unique_ptr<http::Pool> pool_;
  std::unique_ptr<Chain> chain_;
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<http::Endpoint> further_;
  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace edge::test
