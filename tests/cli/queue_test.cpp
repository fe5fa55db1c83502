// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "tests/cli/command_group.h"
#include "tests/support/asking.h"
#include "tests/support/daemon_process.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::CommandGroup;
using edge::test::contains;
using edge::test::DaemonProcess;
using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;
using edge::test::Words;

namespace {

/// `edgectl …` on the local store, or on a daemon.
class Office : public CommandGroup {
 public:
  explicit Office(bool remote) : CommandGroup("", remote) {}

  /// A member of its JSON output, as JSON.
  [[nodiscard]] std::string member(Words words, const std::string& pointer) const {
    words.emplace_back("--json");
    const std::string text = out(words);
    const auto document = edge::json::Document::parse(text, edge::json::kApi);
    const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
    return value ? std::string(value->raw()) : "(none)";
  }
  void send_events(int from, int to) const {
    for (int i = from; i < to; ++i) {
      out({"queue",
           "send",
           "orders",
           fmt::format(R"({{"type":"track","event":"Tested","userId":"u","messageId":"m{}"}})", i),
           "--create"});
    }
  }
};

std::set<std::string> ids_of(const Receiver& receiver) {
  std::set<std::string> ids;
  for (const Received& request : receiver.requests()) {
    ids.insert(request.header("webhook-id"));
  }
  return ids;
}

}  // namespace

TEST_CASE("messages are sent, looked at and purged, here and through a daemon", "[cli][queue]") {
  const Office office(GENERATE(false, true));
  office.sandbox.write("octets", std::string("\0\xFF", 2));

  CHECK(office.out({"queue", "send", "mail", R"({"n": 1})", "--create"}).empty());
  CHECK(office.out({"queue", "send", "mail", "tä", "--type", "text"}).empty());
  CHECK(office.out({"queue", "send", "mail", "-i", "octets", "--type", "bytes"}).empty());
  CHECK(office.out({"queue", "send", "mail", "--delay", "1h"}, "[2]\n").empty());

  CHECK(office.member({"queue", "list"}, "/queues/0/name") == R"("mail")");
  CHECK(office.member({"queue", "list"}, "/queues/0/ready") == "3");
  CHECK(office.member({"queue", "show", "mail"}, "/delayed") == "1");
  CHECK(office.member({"queue", "show", "mail"}, "/schema") == R"("edge.queue/1")");
  const Words peek{"queue", "peek", "mail"};
  CHECK(office.member(peek, "/messages/0/body/n") == "1");
  CHECK(office.member(peek, "/messages/1/body") == R"("tä")");
  CHECK(office.member(peek, "/messages/2/body") == R"("AP8=")");
  CHECK(office.member(peek, "/messages/3/body/0") == "2");
  CHECK(office.member(peek, "/messages/0/attempts") == "0");
  CHECK(office.member({"queue", "peek", "mail", "-N", "1"}, "/messages/1") == "(none)");

  CHECK(office.out({"queue", "pause", "mail"}).empty());
  CHECK(office.member({"queue", "show", "mail"}, "/paused") == "true");
  CHECK(office.out({"queue", "resume", "mail"}).empty());
  CHECK(office.member({"queue", "show", "mail"}, "/paused") == "false");
  CHECK(office.out({"queue", "purge", "mail", "-n"}).empty());
  CHECK(office.refusal({"queue", "purge", "mail"}).starts_with("2 "));
  CHECK(office.member({"queue", "show", "mail"}, "/ready") == "3");
  CHECK(office.out({"queue", "purge", "mail", "--yes"}).empty());
  CHECK(office.member({"queue", "show", "mail"}, "/ready") == "0");
  CHECK(office.member(peek, "/messages") == "[]");
}

TEST_CASE("what is wrong with a queue or a message is told", "[cli][queue]") {
  const Office office(GENERATE(false, true));
  office.out({"queue", "send", "mail", "1", "--create"});
  for (const Words& words : {Words{"queue", "show", "none"},
                             {"queue", "peek", "none"},
                             {"queue", "send", "none", "1"},
                             {"queue", "pause", "none"},
                             {"queue", "purge", "none", "--yes"},
                             {"replay", "--from", "queue:none", "--to", "-"}}) {
    const std::string refused = office.refusal(words);
    CHECK(refused.starts_with("5 "));
    CHECK(contains(refused, "there is no queue \"none\""));
  }
  CHECK(contains(office.refusal({"queue", "send", "none", "1"}), "--create"));
  CHECK(contains(office.refusal({"queue", "send", "mail", "{"}), "--type text"));
  CHECK(office.refusal({"queue", "send", "mail", "{"}).starts_with("3 "));
  CHECK(office.refusal({"queue", "send", "mail", "1", "--delay", "25h"}).starts_with("2 "));
  CHECK(office.refusal({"queue", "send", "mail", "1", "--type", "v8"}).starts_with("2 "));
  CHECK(office.refusal({"queue", "send", "No", "1", "--create"}).starts_with("3 "));
  CHECK(contains(
      office.refusal({"queue", "send", "mail", "--type", "text"}, std::string(128'001, '1')),
      "at most 128000 octets"));
  CHECK(office.refusal({"queue", "peek", "mail", "-N", "0"}).starts_with("2 "));
  CHECK(office.member({"queue", "show", "mail"}, "/ready") == "1");
}

TEST_CASE("a queue is replayed, and what was not acknowledged stays in it", "[cli][queue]") {
  const Office office(GENERATE(false, true));
  Receiver receiver([](const Received& request) {
    return request.header("webhook-id") == "msg_m3" ? Reaction::fail(400) : Reaction{};
  });
  const Words replay{"replay", "--from", "queue:orders", "--to", "webhook:" + receiver.url()};
  office.send_events(0, 5);
  office.out({"queue", "send", "orders", "no event", "--type", "text"});
  office.out({"queue",
              "send",
              "orders",
              R"({"type":"track","event":"Late","userId":"u"})",
              "--delay",
              "1h"});

  Words rehearsal = replay;
  rehearsal.emplace_back("-n");
  CHECK(office.run(rehearsal).exit == 0);
  CHECK(receiver.count() == 0);
  CHECK(office.member({"queue", "show", "orders"}, "/ready") == "6");

  Words some = replay;
  some.insert(some.end(), {"--where", "messageId = m1"});
  const Finished filtered = office.run(some);
  CHECK(contains(filtered.err, "replayed 1 "));
  CHECK(office.member({"queue", "show", "orders"}, "/ready") == "5");

  const Finished done = office.run(replay);
  CHECK(done.exit == 8);
  CHECK(contains(done.err, "replayed 3 · deduplicated 0 · failed 2"));
  CHECK(contains(done.err, "is no event: its body is not a JSON object"));
  CHECK(ids_of(receiver) ==
        std::set<std::string>{"msg_m0", "msg_m1", "msg_m2", "msg_m3", "msg_m4"});
  CHECK(office.member({"queue", "show", "orders"}, "/ready") == "2");
  CHECK(office.member({"queue", "show", "orders"}, "/delayed") == "1");
  CHECK(office.member({"queue", "peek", "orders"}, "/messages/0/attempts") == "0");
}

TEST_CASE("an event without an id is replayed under the id of its message", "[cli][queue]") {
  const Office office(false);
  office.out(
      {"queue", "send", "orders", R"({"type":"track","event":"A","userId":"u"})", "--create"});
  const std::string id = office.member({"queue", "peek", "orders"}, "/messages/0/id");

  const std::string line = office.out({"replay", "--from", "queue:orders", "--to", "-"});

  CHECK(contains(line, fmt::format("\"queue-{}", id.substr(1))));
  CHECK(office.member({"queue", "list"}, "/queues/0/ready") == "1");  // printed, not taken
}

TEST_CASE("a replay of a queue that is killed loses nothing", "[cli][queue]") {
  const Office office(false);
  Receiver receiver;
  constexpr int kEvents = 24;
  office.send_events(0, kEvents);
  int kills = 0;
  for (int i = 0; i < 40; ++i) {
    const Finished run = office.sandbox.run({"timeout",
                                             "-s",
                                             "KILL",
                                             i < 6 ? fmt::format("{}", 0.2 + 0.05 * i) : "30",
                                             edge::test::bin_dir() + "/edgectl",
                                             "replay",
                                             "--from",
                                             "queue:orders",
                                             "--to",
                                             "webhook:" + receiver.url(),
                                             "--in-flight",
                                             "1",
                                             "--batch",
                                             "1"});
    if (run.exit != 137) {
      CHECK(run.exit == 0);
      break;
    }
    ++kills;
  }

  INFO("kills: " << kills);
  CHECK(ids_of(receiver).size() == kEvents);
  CHECK(office.member({"queue", "show", "orders"}, "/ready") == "0");
}

namespace {

/// A queue `orders` with one message that its consumer gave up.
struct Grave {
  Grave() {
    REQUIRE(daemon.start());
    sandbox.write("key", daemon.key());
    REQUIRE(asking.ask("POST", kQueues, R"({"queue_name":"orders"})").status == 200);
    REQUIRE(asking
                .ask("POST",
                     kQueues + "/orders/consumers",
                     R"({"type":"http_pull","settings":{"max_retries":0},)"
                     R"("dead_letter_queue":"graves"})")
                .status == 200);
  }
  /// The id of the message.
  std::string bury(const std::string& body = "1") {
    REQUIRE(asking.ask("POST", kQueues + "/orders/messages", R"({"body":)" + body + "}").status ==
            200);
    const auto pulled = asking.ask("POST", kQueues + "/orders/messages/pull", "{}");
    REQUIRE(asking
                .ask("POST",
                     kQueues + "/orders/messages/ack",
                     fmt::format(R"({{"retries":[{{"lease_id":"{}"}}]}})",
                                 pulled.at("/result/messages/0/lease_id")))
                .status == 200);
    return pulled.at("/result/messages/0/id");
  }
  [[nodiscard]] Finished dlq(Words words) const {
    words.insert(words.begin(), "dlq");
    return run(std::move(words));
  }
  [[nodiscard]] Finished run(Words words) const {
    words.insert(words.end(),
                 {"--url", daemon.url(), "--token-file", sandbox.path("key"), "--json"});
    return sandbox.edgectl(words);
  }

  const std::string kQueues = "/client/v4/accounts/local/queues";
  DaemonProcess daemon{""};
  Sandbox sandbox;
  edge::test::Asking asking{daemon};
};

}  // namespace

TEST_CASE("dead letters of a queue are listed and go back by its name", "[cli][queue]") {
  Grave grave;
  CHECK(contains(grave.dlq({"list", "orders"}).out, "\"items\": []"));
  const std::string id = grave.bury();

  const Finished listed = grave.dlq({"list", "orders"});
  CHECK(contains(listed.out, id));
  CHECK(contains(listed.out, R"("reason": "retries")"));
  CHECK(grave.dlq({"retry", "orders", "-n"}).exit == 0);
  const Finished retried = grave.dlq({"retry", "orders"});
  CHECK(retried.exit == 0);
  CHECK(contains(retried.out, R"("replayed": 1)"));
  CHECK(contains(grave.dlq({"list", "orders"}).out, "\"items\": []"));
  CHECK(grave.asking.ask("GET", "/api/queues/orders").at("/ready") == "1");
  CHECK(grave.dlq({"list", "none"}).exit == 5);
  CHECK(grave.dlq({"retry", "none"}).exit == 5);
  const Finished slowly = grave.dlq({"retry", "orders", "--rate", "5/s"});
  CHECK(slowly.exit == 2);
  CHECK(contains(slowly.err, "--rate is for the dead letters of destinations"));
}

TEST_CASE("dead letters of a queue are purged when its name is typed", "[cli][queue]") {
  Grave grave;
  const std::string id = grave.bury();

  CHECK(contains(grave.dlq({"purge", "orders", "-n"}).err, "would remove 1 dead letters"));
  const Finished unasked = grave.dlq({"purge", "orders"});
  CHECK(unasked.exit == 2);
  CHECK(contains(unasked.err, "--yes"));
  CHECK(contains(grave.dlq({"list", "orders"}).out, id));
  CHECK(contains(grave.dlq({"purge", "orders", "--yes"}).err, "1 dead letters removed"));
  CHECK(contains(grave.dlq({"list", "orders"}).out, "\"items\": []"));
  CHECK(grave.dlq({"purge", "orders"}).exit == 0);  // nothing is lost, nobody is asked
}

TEST_CASE("dead letters of a queue are shown, retried, discarded and exported by id",
          "[cli][queue]") {
  Grave grave;
  const std::string first = grave.bury(R"({"n":1})");
  const std::string second = grave.bury(R"({"n":2})");
  const std::string third = grave.bury(R"({"n":3})");

  CHECK(contains(grave.dlq({"list", "orders", "--by", "reason"}).out, R"("count": 3)"));
  CHECK(contains(grave.dlq({"list", "orders", "--by", "destination"}).out, R"("queue": "orders")"));
  CHECK(contains(grave.dlq({"show", second}).out, R"("n": 2)"));
  CHECK(contains(grave.dlq({"export", "orders"}).out, R"("body":{"n":3})"));
  CHECK(contains(grave.dlq({"retry", second, "-n"}).err, "would hand back 1 dead letters"));
  CHECK(grave.dlq({"retry", second, "--rate", "5/s"}).exit == 2);
  CHECK(contains(grave.dlq({"retry", second}).out, R"("replayed": 1)"));
  CHECK(grave.dlq({"discard", first}).exit == 0);

  const std::string left = grave.dlq({"list", "orders"}).out;
  CHECK_FALSE(contains(left, first));
  CHECK_FALSE(contains(left, second));
  CHECK(contains(left, third));
  CHECK(contains(grave.run({"queue", "peek", "orders"}).out, R"("n": 2)"));
  for (const char* verb : {"show", "retry", "discard"}) {
    const Finished gone = grave.dlq({verb, second});
    CHECK(gone.exit == 5);
    CHECK(contains(gone.err, second));
  }
}

TEST_CASE("dead letters of a queue are replayed and leave when they are taken", "[cli][queue]") {
  Grave grave;
  Receiver receiver;
  grave.bury(R"({"type":"track","event":"E","userId":"u","messageId":"m1"})");
  const std::string to = "webhook:" + receiver.url();

  CHECK(contains(grave.run({"replay", "--from", "dlq:orders", "--to", "-"}).out, R"("m1")"));
  CHECK(contains(grave.dlq({"list", "orders"}).out, "retries"));
  const Finished done = grave.run({"replay", "--from", "dlq:orders", "--to", to});

  INFO(done.err);
  CHECK(done.exit == 0);
  CHECK(ids_of(receiver) == std::set<std::string>{"msg_m1"});
  CHECK(contains(grave.dlq({"list", "orders"}).out, "\"items\": []"));
}

TEST_CASE("a name that is no queue and no destination is told with the near ones", "[cli][queue]") {
  Grave grave;

  for (const Words& words : {Words{"dlq", "list", "ordres"},
                             {"dlq", "export", "ordres"},
                             {"dlq", "purge", "ordres", "--yes"},
                             {"dlq", "retry", "--destination", "ordres"},
                             {"replay", "--from", "dlq:ordres", "--to", "-"}}) {
    const Finished run = grave.run(words);
    INFO(words[1] << run.err);
    CHECK(run.exit == 5);
    CHECK(contains(run.err, "ordres"));
    CHECK(contains(run.err, R"("didYouMean":["orders"])"));
  }
}

TEST_CASE("more dead letters than a request may name are retried in parts", "[cli][queue]") {
  const Receiver daemon([](const Received& request) -> Reaction {
    if (request.method == "POST") {
      return {.body = R"({"replayed":2,"quarantined":1})"};
    }
    std::string items;
    for (int i = 0; i < 2'300; ++i) {
      items += fmt::format(R"({}{{"id":"{}-1-crm","reason":"http_500"}})", i == 0 ? "" : ",", i);
    }
    return {.body = R"({"items":[)" + items + R"(],"next":null})"};
  });
  const Sandbox sandbox;

  const Finished run = sandbox.edgectl(
      {"dlq", "retry", "--where", "reason ~ \"^http_5\"", "--url", daemon.url(""), "--json"});

  INFO(run.err);
  CHECK(run.exit == 0);
  CHECK(contains(run.out, R"("replayed": 6)"));
  CHECK(contains(run.out, R"("quarantined": 3)"));
  std::vector<std::uint32_t> sizes;
  for (const Received& request : daemon.requests()) {
    const auto body = edge::json::Document::parse(request.body, edge::json::kApi);
    if (request.method == "POST" && body) {
      sizes.push_back(body->root().find("ids")->size());
    }
  }
  CHECK(sizes == std::vector<std::uint32_t>{1'000, 1'000, 300});
}
