// SPDX-License-Identifier: MIT
// An installation with a datafile behind a whole server, for the routes that decide.
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/edge.h"
#include "core/json/document.h"
#include "daemon/lifecycle.h"
#include "daemon/routes.h"
#include "tests/support/memory_store.h"
#include "tests/support/scripted_http.h"
#include "tests/unit/http/fixture.h"

namespace edge::test {

/// Two experiments, an offer that asks for a segment, events.
inline constexpr std::string_view kFlagDatafile = R"({"version":"4","revision":"9",
 "accountId":"10","projectId":"77","sdkKey":"KEY","environmentKey":"test",
 "attributes":[{"id":"at1","key":"plan"}],
 "events":[{"id":"ev1","key":"purchase","experimentIds":["e1"]}],
 "typedAudiences":[
  {"id":"a1","name":"vip","conditions":["or",{"type":"third_party_dimension","match":"qualified","value":"high_value"}]},
  {"id":"a2","name":"pros","conditions":["or",{"type":"custom_attribute","name":"plan","match":"exact","value":"pro"}]}],
 "experiments":[{"id":"e1","key":"test","layerId":"l1","status":"Running","audienceIds":["a2"],
   "variations":[{"id":"1","key":"blue","featureEnabled":true,"variables":[{"id":"x9","value":"hi"}]},
                 {"id":"2","key":"red","featureEnabled":false}],
   "trafficAllocation":[{"entityId":"1","endOfRange":10000}]}],
 "rollouts":[{"id":"r1","experiments":[
   {"id":"d1","key":"offer_vip","layerId":"l2","audienceIds":["a1"],
    "variations":[{"id":"3","key":"on","featureEnabled":true,"variables":[{"id":"x1","value":"15"}]}],
    "trafficAllocation":[{"entityId":"3","endOfRange":10000}]},
   {"id":"default-r1","key":"default-r1","layerId":"l2",
    "variations":[{"id":"4","key":"off","featureEnabled":false}],
    "trafficAllocation":[{"entityId":"4","endOfRange":10000}]}]}],
 "featureFlags":[
  {"id":"f1","key":"offer","rolloutId":"r1","experimentIds":[],
   "variables":[{"id":"x1","key":"percent","type":"integer","defaultValue":"0"}]},
  {"id":"f2","key":"greeting","rolloutId":"","experimentIds":["e1"],
   "variables":[{"id":"x9","key":"text","type":"string","defaultValue":"hello"}]}]})";

class FlagDaemon {
 public:
  struct Options {
    std::optional<std::string> datafile = std::string(kFlagDatafile);  ///< nothing: no file
    std::function<void(config::Config&)> change = [](config::Config&) {};
    std::map<std::string, std::string> secrets = {};
    ScriptedHttp::Script answers = ScriptedHttp::answering(200);  ///< of other servers
  };

  FlagDaemon() : FlagDaemon(Options{}) {}
  explicit FlagDaemon(Options options) {
    config::Config config;
    config.file = folder / "edge.toml";
    if (options.datafile) {
      std::ofstream(folder / "flags.json") << *options.datafile;
    }
    options.change(config);
    auto memory = std::make_unique<MemoryStore>(server.clock);
    store = memory.get();
    auto scripted = std::make_unique<ScriptedHttp>();
    http = scripted.get();
    http->follow(options.answers);
    const auto environment = [secrets = options.secrets](const std::string& name) {
      const auto found = secrets.find(name);
      return found == secrets.end() ? std::nullopt : std::optional(found->second);
    };
    auto built = Edge::build({.config = std::move(config),
                              .secrets = config::Secrets({.environment = environment}),
                              .store = std::move(memory),
                              .http = std::move(scripted)},
                             server.clock,
                             random_);
    REQUIRE(built);
    edge = std::move(*built);
    Mount mount(server.router, *edge, server.metrics, lifecycle_);
    routes::mount_all(mount);
    protocols::mount_all(mount);
    problem = mount.problem();
    server.config.local_key = "edl_test";
    server.start();
    projector_ = std::jthread([this](const std::stop_token& stop) { edge->projector.run(stop); });
  }

  /// One request; `fields` are whole lines with their ends.
  Answer send(std::string_view method,
              std::string_view target,
              std::string_view fields,
              std::string_view body = {}) const {
    return server.ask(
        fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: {}\r\nConnection: "
                    "close\r\n\r\n{}",
                    method,
                    target,
                    fields,
                    body.size(),
                    body));
  }
  /// As an Agent client with an SDK key.
  Answer post(std::string_view target, std::string_view body) const {
    return send(
        "POST", target, "X-Optimizely-SDK-Key: KEY\r\nContent-Type: application/json\r\n", body);
  }
  Answer get(std::string_view target) const {
    return send("GET", target, "X-Optimizely-SDK-Key: KEY\r\n");
  }
  /// As an operator.
  Answer manage(std::string_view method,
                std::string_view target,
                std::string_view body = {}) const {
    return send(method,
                target,
                "Authorization: Bearer edl_test\r\nContent-Type: application/json\r\n",
                body);
  }

  TempDir folder;
  TestServer server;
  MemoryStore* store = nullptr;
  ScriptedHttp* http = nullptr;
  std::unique_ptr<Edge> edge;
  std::optional<Error> problem;

 private:
  SystemRandom random_;
  Lifecycle lifecycle_;
  std::jthread projector_;
};

/// Whether the JSON text holds `expected` at the pointer.
inline bool holds(std::string_view text, std::string_view pointer, std::string_view expected) {
  const auto document = json::Document::parse(text, json::kDecision);
  const auto wanted = json::Document::parse(expected, json::kStrict);
  const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
  INFO(text << " at " << pointer);
  CHECK(value.has_value());
  return value && json::equal(*value, wanted->root());
}

}  // namespace edge::test
