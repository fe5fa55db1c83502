// SPDX-License-Identifier: MIT
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/delivery/forwarder.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/support/scripted_http.h"

namespace edge::delivery {

/// One destination, a webhook unless told otherwise, a store in memory, a clock that stands still
/// and a scripted receiver.
struct DeliveryBench {
  static storage::Deadline soon() { return storage::Deadline::in(std::chrono::seconds(5)); }

  explicit DeliveryBench(const std::string& settings = "{}") { configure(settings); }
  /// Of another type: its settings.
  DeliveryBench(std::string type, const std::string& config, const std::string& settings = "{}")
      : head_(R"("type":")" + std::move(type) + R"(","config":)" + config) {
    configure(settings);
  }

  /// Sets the destination `hook` anew; `settings` are members of its definition.
  void configure(const std::string& settings) {
    const std::string text = R"({"id":"hook","name":"Hook",)" + head_ + "," +
                             (settings == "{}" ? "\"enabled\":true}" : settings.substr(1));
    const auto document = json::Document::parse(text, json::kEvent);
    const auto definition = destinations::read_definition(document->root(), catalogue);
    REQUIRE(definition);
    REQUIRE(destinations.load({*definition}));
  }

  [[nodiscard]] EntryPointer entry() const { return destinations.table().get()->find("hook"); }

  /// A forwarder as after a start of the process.
  std::unique_ptr<Forwarder> forwarder() {
    ForwarderServices services{store, destinations.table(), http, clock, random};
    services.disable = [this](const std::string& id) { disabled.push_back(id); };
    services.limits = limits;
    auto made = std::make_unique<Forwarder>(entry(), services);
    REQUIRE(made->start());
    return made;
  }

  void append(const std::string& message_id, const std::string& user, std::uint64_t routes = 1) {
    append_event(R"({"type":"track","event":"Tested","messageId":")" + message_id +
                     R"(","userId":")" + user + R"(","timestamp":"2023-11-14T22:13:20.000Z"})",
                 message_id,
                 user,
                 routes);
  }
  void append_event(const std::string& body,
                    const std::string& message_id,
                    const std::string& user,
                    std::uint64_t routes = 1) {
    storage::Batch batch;
    batch.appends.push_back({.stream = destinations::kStream,
                             .records = {{.source = "test",
                                          .id = message_id,
                                          .at = to_ms(clock.now()),
                                          .routes = routes,
                                          .user = user,
                                          .body = body}}});
    REQUIRE(store.commit(std::move(batch), soon()));
  }

  /// The message ids that were sent, in order.
  [[nodiscard]] std::vector<std::string> sent() const {
    std::vector<std::string> ids;
    for (const auto& request : http.requests()) {
      for (const auto& [name, value] : request.headers) {
        if (name == "webhook-id") {
          ids.push_back(value.substr(4));
        }
      }
    }
    return ids;
  }
  std::vector<storage::Due> rows() {
    return store.list({.queue = destinations::queue_of("hook")}, soon())->items;
  }
  std::uint64_t cursor() {
    return store.position(destinations::consumer_of("hook"), "events", 0, soon())->offset;
  }
  std::vector<DeadLetter> dead() { return letters.list({})->items; }

  test::FakeClock clock;
  test::MemoryStore store{clock};
  test::ScriptedHttp http;
  SeededRandom random{11};
  destinations::Catalogue catalogue;
  std::map<std::string, std::string> secrets;
  destinations::Destinations destinations{
      store,
      catalogue,
      [this](const std::string& name) {
        const auto found = secrets.find(name);
        return found == secrets.end() ? std::nullopt : std::optional(found->second);
      },
      {}};
  DeadLetters letters{store, destinations, clock};
  std::vector<std::string> disabled;
  ForwarderLimits limits;

 private:
  std::string head_ = R"("type":"webhook","url":"https://h.example/")";
};

using Ids = std::vector<std::string>;

/// Answers `status` to the request with that message id, 200 to all others.
inline test::ScriptedHttp::Script failing(const std::string& message_id, int status) {
  return [=](const transport::OutgoingRequest& request) {
    const bool hit = request.body.find("\"messageId\":\"" + message_id + "\"") != std::string::npos;
    return transport::IncomingResponse{.status = hit ? status : 200};
  };
}

}  // namespace edge::delivery
