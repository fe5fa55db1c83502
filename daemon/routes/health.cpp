// SPDX-License-Identifier: MIT
// GET /health, /health/ready, /health/live (platform spec 8).
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "core/edge.h"
#include "daemon/log.h"
#include "daemon/routes.h"

namespace edge::routes {
namespace {

constexpr std::chrono::seconds kFreshness{1};
constexpr std::chrono::seconds kPatience{2};

/// Writes and reads a row of a scratch space, at most once a second. Thread-safe.
class Probe {
 public:
  explicit Probe(Edge& edge) : edge_(edge) {}

  bool is_healthy() {
    const std::lock_guard lock(mutex_);
    const SteadyTime now = edge_.clock.steady();
    if (!checked_ || now - at_ >= kFreshness) {
      healthy_ = check();
      checked_ = true;
      at_ = edge_.clock.steady();
    }
    return healthy_;
  }

 private:
  bool check() {
    if (edge_.store.health().state != storage::Health::State::Ok) {
      return false;
    }
    const auto deadline = storage::Deadline::in(kPatience);
    const storage::Key key{.space = "scratch", .part = "health", .key = "probe"};
    const std::string value = std::to_string(to_ms(edge_.clock.now()));
    storage::Batch batch;
    batch.puts.push_back({.key = key, .value = value});
    if (!edge_.store.commit(std::move(batch), deadline)) {
      return false;
    }
    const auto found = edge_.store.get(key, deadline);
    return found && *found && (*found)->value == value;
  }

  Edge& edge_;
  std::mutex mutex_;
  bool checked_ = false;  // guarded by mutex_
  bool healthy_ = false;  // guarded by mutex_
  SteadyTime at_{};       // guarded by mutex_
};

http::Response report(Edge& edge, bool healthy) {
  std::string time;
  append_time(time, edge.clock.now());
  const char* state = healthy ? "healthy" : "unhealthy";
  json::Writer out;
  out.begin_object()
      .member("timestamp", time)
      .member("environment", edge.config.overlay.empty() ? "default" : edge.config.overlay)
      .member("status", healthy ? "healthy" : "degraded")
      .key("services")
      .begin_object();
  for (const char* service : {"cache", "storage", "queue", "durable_objects", "analytics"}) {
    out.member(service, state);
  }
  out.end_object().end_object();
  return http::json(out, healthy ? 200 : 503);
}

http::Response say(int status, const char* state) {
  json::Writer out;
  out.begin_object().member("status", state).end_object();
  return http::json(out, status);
}

}  // namespace

void health(Mount& mount) {
  const auto probe = std::make_shared<Probe>(mount.edge);
  mount.get("/health",
            {.needs = Public, .runs = Runs::OnPool, .authenticates = false},
            [probe, &edge = mount.edge](const http::Request&) {
              return report(edge, probe->is_healthy());
            });
  mount.get("/health/ready",
            {.needs = Public, .authenticates = false},
            [&life = mount.lifecycle](const http::Request&) {
              switch (life.phase()) {
                case Lifecycle::Phase::Ready:
                  return say(200, "ready");
                case Lifecycle::Phase::Starting:
                  return say(503, "starting");
                case Lifecycle::Phase::Draining:
                  return say(503, "draining");
              }
              return say(503, "starting");
            });
  mount.get("/health/live", {.needs = Public, .authenticates = false}, [](const http::Request&) {
    http::Response response;
    response.type("application/json").fixed_body(R"({"status":"ok"})");
    return response;
  });
}

}  // namespace edge::routes
