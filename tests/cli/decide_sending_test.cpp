// SPDX-License-Identifier: MIT
// decide --send-event: here through the local store, and by a daemon.
#include <catch2/catch.hpp>
#include <csignal>

#include "core/json/document.h"
#include "tests/support/asking.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Asking;
using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace json = edge::json;

namespace {

/// Sends to the receiver instead of Optimizely, and lets a batch linger as long as it may.
std::string config_for(const Receiver& receiver) {
  return "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n"
         "[[destinations]]\nname = \"optimizely\"\ntype = \"optimizely\"\nlingerMs = 60000\n"
         "url = \"" +
         receiver.url("/v1/events") + "\"\n";
}

std::string datafile() {
  return edge::test::source_dir() + "/cli/examples/flags.json";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string at(const std::string& body, const std::string& pointer) {
  const auto document = json::Document::parse(body, json::kStrict);
  const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
  return value ? std::string(value->as_string().value_or(value->raw())) : std::string();
}

}  // namespace

TEST_CASE("decide reports an impression when it is told to, and only then", "[cli]") {
  Receiver receiver;
  const Sandbox sandbox;
  sandbox.write("edge.toml", config_for(receiver));
  const std::vector<std::string> question{
      "decide", "new_checkout", "-u", "u-42", "--attr", "plan=pro", "--datafile", datafile()};
  std::vector<std::string> sending = question;
  sending.emplace_back("--send-event");
  std::vector<std::string> silenced = sending;
  silenced.insert(silenced.end(), {"--option", "DISABLE_DECISION_EVENT"});

  const Finished plain = sandbox.edgectl(question);
  CHECK(receiver.requests().empty());
  const Finished sent = sandbox.edgectl(sending);
  const Finished none = sandbox.edgectl(silenced);

  CHECK(plain.exit == 0);
  INFO(sent.err);
  CHECK(sent.exit == 0);
  CHECK(sent.out == plain.out);
  CHECK(sent.err == "1 event stored\nnothing waits for optimizely\n");
  CHECK(none.err == "0 events stored\nnothing waits for optimizely\n");
  REQUIRE(receiver.count() == 1);
  const Received request = receiver.requests()[0];
  CHECK(request.method == "POST");
  CHECK(request.path == "/v1/events");
  CHECK(at(request.body, "/client_name") == "edgectl");
  CHECK(at(request.body, "/visitors/0/visitor_id") == "u-42");
  CHECK(at(request.body, "/visitors/0/attributes/0/entity_id") == "101");
  CHECK(at(request.body, "/visitors/0/snapshots/0/decisions/0/variation_id") == "602");
  CHECK(at(request.body, "/visitors/0/snapshots/0/decisions/0/metadata/rule_key") ==
        "checkout_test");
}

TEST_CASE("an impression that is not taken waits in the store and goes with the next", "[cli]") {
  Receiver receiver([](const Received&) { return Reaction::fail(503); });
  const Sandbox sandbox;
  sandbox.write("edge.toml", config_for(receiver) + "retry = {baseMs = 1, capMs = 2}\n");
  const std::vector<std::string> sending{
      "decide", "--all", "-u", "u-42", "--datafile", datafile(), "--send-event"};

  const Finished refused = sandbox.edgectl(sending);
  receiver.behave([](const Received&) { return Reaction{}; });
  const std::size_t tried = receiver.count();
  const Finished taken = sandbox.edgectl(
      {"decide", "new_checkout", "-u", "u-1", "--datafile", datafile(), "--send-event", "--quiet"});

  CHECK(refused.exit == 0);
  CHECK(holds(refused.err, "3 events stored\n3 events wait for optimizely; edged or the next"));
  CHECK(taken.exit == 0);
  CHECK(taken.err.empty());
  std::size_t visitors = 0;
  for (std::size_t i = tried; i < receiver.count(); ++i) {
    const auto body = json::Document::parse(receiver.requests()[i].body, json::kStrict);
    visitors += body->root().find("visitors")->size();
  }
  CHECK(visitors == 4);
}

TEST_CASE("a batch reports every record", "[cli]") {
  Receiver receiver;
  const Sandbox sandbox;
  sandbox.write("edge.toml", config_for(receiver));
  std::string records;
  for (int i = 0; i < 25; ++i) {
    records += R"({"key":"dark_mode","userId":"u-)" + std::to_string(i) + "\"}\n";
  }

  const Finished done = sandbox.edgectl(
      {"decide", "--batch", "-", "--datafile", datafile(), "--send-event", "--workers", "3"},
      {.input = records});

  INFO(done.err);
  CHECK(done.exit == 0);
  CHECK(holds(done.err, "25 events stored\n"));
  CHECK(receiver.count() == 3);  // ten in a body
}

TEST_CASE("events to send need a destination that takes them", "[cli]") {
  const Sandbox sandbox;

  const Finished done = sandbox.edgectl(
      {"decide", "new_checkout", "-u", "u", "--datafile", datafile(), "--send-event"});

  CHECK(done.exit == 3);
  CHECK(done.out.empty());
  CHECK(holds(done.err, "no enabled destination of the type \"optimizely\""));
  CHECK(holds(done.err, "edgectl destination create"));
}

TEST_CASE("a daemon that runs decides and reports", "[cli]") {
  Receiver receiver;
  DaemonProcess daemon(config_for(receiver) + "[flags]\ndatafile = \"" + datafile() + "\"\n");
  REQUIRE(daemon.start());
  const Sandbox sandbox;
  const std::string key = sandbox.write("key", daemon.key());
  const auto decide = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{
        "decide", "--url", daemon.url(), "--token-file", key, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return sandbox.edgectl(arguments);
  };

  const Finished plain = decide({"new_checkout", "-u", "u-42", "--attr", "plan=pro"});
  const Finished sent =
      decide({"new_checkout", "-u", "u-42", "--attr", "plan=pro", "--send-event"});
  sandbox.write("batch.jsonl",
                "{\"userId\":\"u-7\",\"key\":\"dark_mode\"}\n"
                "{\"userId\":\"u-8\",\"key\":\"dark_mode\",\"sendEvent\":true}\n");
  const Finished quiet = decide({"--batch", "batch.jsonl"});
  const Finished batch = decide({"--batch", "batch.jsonl", "--send-event"});
  Asking asking(daemon);
  CHECK(asking.ask("GET", "/cdp/destinations/optimizely").at("/pending") == "3");
  CHECK(daemon.stop(SIGTERM) == 0);

  CHECK(plain.exit == 0);
  CHECK(sent.exit == 0);
  CHECK(sent.out == plain.out);
  CHECK(quiet.exit == 0);
  CHECK(batch.exit == 0);
}

TEST_CASE("a daemon without such a destination says so", "[cli]") {
  DaemonProcess daemon("[flags]\ndatafile = \"" + datafile() + "\"\n");
  REQUIRE(daemon.start());
  const Sandbox sandbox;
  const std::string key = sandbox.write("key", daemon.key());

  const Finished done = sandbox.edgectl({"decide",
                                         "new_checkout",
                                         "-u",
                                         "u",
                                         "--send-event",
                                         "--url",
                                         daemon.url(),
                                         "--token-file",
                                         key});
  const Finished held = sandbox.edgectl({"decide",
                                         "new_checkout",
                                         "-u",
                                         "u",
                                         "--send-event",
                                         "--datafile",
                                         datafile(),
                                         "--data-dir",
                                         daemon.data_dir()});

  CHECK(done.exit == 3);
  CHECK(holds(done.err, "no enabled destination of the type \"optimizely\""));
  CHECK(held.exit == 9);
  CHECK(holds(held.err, "is in use by process"));
  CHECK(holds(held.err, "--url"));
}
