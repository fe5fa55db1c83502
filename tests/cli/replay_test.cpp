// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "tests/support/daemon_process.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace {

std::string events(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    text += R"({"type":"track","event":"Tested","userId":"u","messageId":"m)" + std::to_string(i) +
            "\"}\n";
  }
  return text;
}

std::map<std::string, int> times_received(const Receiver& receiver) {
  std::map<std::string, int> times;
  for (const Received& request : receiver.requests()) {
    ++times[request.header("webhook-id")];
  }
  return times;
}

}  // namespace

TEST_CASE("replay sends a file to a webhook and sums it up", "[cli]") {
  const Receiver receiver;
  const Sandbox sandbox;
  const std::string file = sandbox.write("events.jsonl", events(20));

  const Finished done =
      sandbox.edgectl({"replay", "--from", file, "--to", "webhook:" + receiver.url()});

  CHECK(done.exit == 0);
  CHECK(done.err.find("read 20 · replayed 20 · deduplicated 0 · failed 0 · ") != std::string::npos);
  CHECK(done.err.find("/s\n") != std::string::npos);
  CHECK(times_received(receiver).size() == 20);
}

TEST_CASE("replay says what is wrong and how it ended", "[cli]") {
  Receiver refusing([](const Received&) { return Reaction::fail(404); });
  const Sandbox sandbox;
  const std::string file = sandbox.write("events.jsonl", events(2) + "nonsense\n");
  const std::string to = "webhook:" + refusing.url();

  const Finished partly = sandbox.edgectl({"replay", "--from", file, "--to", to, "--json"});
  CHECK(partly.exit == 8);
  CHECK(partly.out.find("\"failed\": 3") != std::string::npos);
  CHECK(partly.out.find("\"rate\": 0") != std::string::npos);
  CHECK(partly.out.find("\"http_404\": 2") != std::string::npos);
  CHECK(sandbox.edgectl({"replay", "--from", "none.jsonl", "--to", "-"}).exit == 3);
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "nowhere"}).exit == 2);
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "-", "--speed", "fast"}).exit == 2);
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "-", "--resume"}).exit == 2);
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "http://127.0.0.1:1"}).exit == 8);
}

TEST_CASE("a rehearsal counts by type, destination and what cannot be sent", "[cli]") {
  const Receiver receiver;
  const Sandbox sandbox;
  const std::string to = "webhook:" + receiver.url();
  const std::string checkpoint = sandbox.path("state.json");
  std::string lines;
  for (const int minute : {10, 12, 12, 15}) {
    lines += R"({"type":"track","event":"E","userId":"u","messageId":"m)" + std::to_string(minute) +
             R"(","timestamp":"2026-01-01T10:)" + std::to_string(minute) + ":00.000Z\"}\n";
  }
  lines += R"({"type":"identify","userId":"u","messageId":"i"})"
           "\n"
           R"({"type":"track","userId":"u","messageId":"nameless"})"
           "\nno JSON\n";
  const std::string file = sandbox.write("events.jsonl", lines);
  const auto rehearse = [&](std::vector<std::string> more, const std::string& pointer) {
    more.insert(more.begin(),
                {"replay",
                 "--from",
                 file,
                 "--to",
                 to,
                 "--checkpoint",
                 checkpoint,
                 "-n",
                 "--json",
                 "--select",
                 pointer});
    return sandbox.edgectl(more).out;
  };

  const Finished told = sandbox.edgectl({"replay", "--from", file, "--to", to, "-n"});

  CHECK(told.exit == 0);
  CHECK(told.out.find(
            "7 read, 4 to send, 1 repeated, 0 not chosen, 0 replayed too often, 2 cannot") !=
        std::string::npos);
  CHECK(told.out.find("type\ttrack\t3\ntype\tidentify") == std::string::npos);  // by name
  CHECK(told.out.find("type\tidentify\t1\ntype\ttrack\t3\n") != std::string::npos);
  CHECK(told.out.find("destination\twebhook\t4\n") != std::string::npos);
  CHECK(told.out.find("cannot be sent\tevent_not_defined\t1\n") != std::string::npos);
  CHECK(told.out.find("2026-01-01T10:10:00.000Z to ") != std::string::npos);
  CHECK(rehearse({"--rate", "2/s"}, "/estimatedDurationMs") == "1500\n");
  CHECK(rehearse({"--speed", "10x", "--until", "2026-01-02T00:00:00Z"}, "/toSend") == "4\n");
  CHECK(rehearse({"--where", "event = E", "--speed", "10x"}, "/estimatedDurationMs") == "30000\n");
  CHECK(rehearse({"--where", "event = E", "--speed", "10x"}, "/last") ==
        "2026-01-01T10:15:00.000Z\n");
  CHECK(rehearse({"--limit", "1"}, "/toSend") == "1\n");
  CHECK(receiver.count() == 0);
  CHECK_FALSE(std::filesystem::exists(checkpoint));
  CHECK(sandbox.edgectl({"replay", "--from", file, "--to", "nowhere", "-n"}).exit == 2);
}

TEST_CASE("a rehearsal leaves the checkpoint of an unfinished run and counts what is left",
          "[cli]") {
  int refused = 0;
  Receiver receiver([&refused](const Received& request) {
    return request.header("webhook-id") == "msg_m3" && refused++ == 0 ? Reaction::fail(400)
                                                                      : Reaction{};
  });
  const Sandbox sandbox;
  const std::string file = sandbox.write("events.jsonl", events(10));
  const std::string checkpoint = sandbox.path("state.json");
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"replay",
                 "--from",
                 file,
                 "--to",
                 "webhook:" + receiver.url(),
                 "--checkpoint",
                 checkpoint,
                 "--in-flight",
                 "1",
                 "--json"});
    return sandbox.edgectl(more);
  };
  REQUIRE(run({"--on-error", "stop"}).exit == 8);
  const std::string before = sandbox.read("state.json");

  CHECK(run({"-n"}).exit == 2);
  CHECK(run({"-n", "--resume", "--select", "/toSend"}).out == "7\n");
  CHECK(run({"-n", "--restart", "--select", "/toSend"}).out == "10\n");
  CHECK(sandbox.read("state.json") == before);
}

TEST_CASE("replay killed at any moment and resumed leaves nothing out", "[cli]") {
  const Receiver receiver;
  const Sandbox sandbox;
  constexpr int kEvents = 400;
  const std::string file = sandbox.write("events.jsonl", events(kEvents));
  const std::string checkpoint = sandbox.path("state.json");
  int kills = 0;
  Finished last{.exit = 137};
  for (int i = 0; last.exit == 137 && i < 100; ++i) {
    const bool resumes = std::filesystem::exists(checkpoint);
    const double patience = i < 8 ? 0.15 + 0.05 * i : 30;
    last = sandbox.run({"timeout",
                        "-s",
                        "KILL",
                        std::to_string(patience),
                        edge::test::bin_dir() + "/edgectl",
                        "replay",
                        "--from",
                        file,
                        "--to",
                        "webhook:" + receiver.url(),
                        "--in-flight",
                        "2",
                        "--checkpoint",
                        checkpoint,
                        resumes ? "--resume" : "--restart"});
    kills += last.exit == 137 ? 1 : 0;
    if (!std::filesystem::exists(checkpoint) && receiver.count() >= kEvents) {
      break;  // all was sent and the checkpoint removed; the signal met a program that was ending
    }
  }

  CHECK((last.exit == 0 || last.exit == 137));
  CHECK_FALSE(std::filesystem::exists(checkpoint));
  const auto times = times_received(receiver);
  CHECK(times.size() == kEvents);
  int repeated = 0;
  for (const auto& [id, count] : times) {
    repeated += count - 1;
  }
  INFO("kills: " << kills);
  CHECK(repeated <= kills * 3);  // what was in flight, and one that was answered but not noted
}

TEST_CASE("events go through the local store to a webhook, failures come back with dlq retry",
          "[cli]") {
  Receiver receiver([](const Received&) { return Reaction::fail(400); });
  const Sandbox sandbox;
  const std::map<std::string, std::string> allow{{"EDGE_OUTBOUND_ALLOW_HTTP", "true"},
                                                 {"EDGE_OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8"}};
  const std::string file = sandbox.write("events.jsonl", events(3));
  REQUIRE(sandbox
              .edgectl({"destination", "create", "hook", "--to", receiver.url(), "--local"},
                       {.env = allow})
              .exit == 0);

  const Finished stored =
      sandbox.edgectl({"replay", "--from", file, "--to", "local"}, {.env = allow});
  const Finished dead = sandbox.edgectl({"dlq", "list", "--by", "reason"}, {.env = allow});
  const Finished rehearsed =
      sandbox.edgectl({"replay", "--from", "dlq", "--to", "local", "-n"}, {.env = allow});
  receiver.behave([](const Received&) { return Reaction{}; });
  const Finished retried = sandbox.edgectl({"dlq", "retry", "--all"}, {.env = allow});
  const Finished after = sandbox.edgectl({"dlq", "list", "--json"}, {.env = allow});
  const Finished stats = sandbox.edgectl(
      {"destination", "stats", "--json", "--select", "/destinations/0/delivered"}, {.env = allow});

  CHECK(stored.exit == 0);
  CHECK(dead.out.find("http_400\t3") != std::string::npos);
  CHECK(rehearsed.out.find("destination\thook\t3\nreason\thttp_400\t3\n") != std::string::npos);
  CHECK(retried.exit == 0);
  CHECK(after.out.find("\"items\": []") != std::string::npos);
  CHECK(stats.out == "3\n");
  const auto counted = [&](const char* since, const char* pointer) {
    return sandbox
        .edgectl({"destination", "stats", "hook", "--since", since, "--json", "--select", pointer},
                 {.env = allow})
        .out;
  };
  CHECK(counted("-1h", "/destinations/0/since/delivered") == "3\n");
  CHECK(counted("-1h", "/destinations/0/since/dead") == "3\n");
  CHECK(counted("2033-01-01T00:00:00Z", "/destinations/0/since/dead") == "0\n");
  CHECK(receiver.count() == 6);
}

TEST_CASE("destinations are made, shown, previewed, tested and removed", "[cli]") {
  const Receiver receiver;
  const Sandbox sandbox;
  const std::map<std::string, std::string> allow{{"EDGE_OUTBOUND_ALLOW_HTTP", "true"},
                                                 {"EDGE_OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8"}};
  const auto run = [&](std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), "destination");
    return sandbox.edgectl(arguments, {.env = allow, .input = input});
  };

  CHECK(run({"create", "crm", "--to", receiver.url("/in?key=abc"), "--set", "format=standard"})
            .exit == 0);
  CHECK(run({"create", "crm", "--to", receiver.url()}).exit != 0);
  CHECK(run({"show", "crm", "--select", "/config/format"}).out == "standard\n");
  CHECK(run({"update", "crm", "--set", "batch:=1000"}).exit == 3);
  CHECK(run({"disable", "crm", "--select", "/state", "--json"}).out == "disabled\n");
  CHECK(run({"enable", "crm", "--select", "/state", "--json"}).out == "running\n");
  const Finished preview = run({"preview", "crm", "--json"},
                               R"({"type":"track","event":"x","userId":"u","messageId":"m"})");
  CHECK(preview.exit == 0);
  CHECK(preview.out.find("\"webhook-id\": \"msg_m\"") != std::string::npos);
  CHECK(preview.out.find("key=abc") == std::string::npos);
  CHECK(receiver.count() == 0);
  CHECK(run({"test", "crm"}).exit == 0);
  CHECK(receiver.count() == 1);
  CHECK(run({"delete", "crm"}).exit == 0);
  CHECK(run({"show", "crm"}).exit == 5);
}

namespace {

const std::map<std::string, std::string> kAllow{{"EDGE_OUTBOUND_ALLOW_HTTP", "true"},
                                                {"EDGE_OUTBOUND_ALLOW_PRIVATE", "127.0.0.0/8"}};

/// The `N` of `replays` of the only dead letter there is left.
std::string replays_of_the_last(const Sandbox& sandbox, const std::vector<std::string>& where) {
  std::vector<std::string> words{"dlq", "list", "--select", "/items/0/replays"};
  words.insert(words.end(), where.begin(), where.end());
  return sandbox.edgectl(words, {.env = kAllow}).out;
}

}  // namespace

TEST_CASE("dead letters that are printed or kept stay as they are", "[cli]") {
  Receiver receiver([](const Received&) { return Reaction::fail(400); });
  const Sandbox sandbox;
  const std::string file = sandbox.write("events.jsonl", events(3));
  const auto run = [&](std::vector<std::string> words) {
    return sandbox.edgectl(words, {.env = kAllow});
  };
  REQUIRE(run({"destination", "create", "hook", "--to", receiver.url()}).exit == 0);
  REQUIRE(run({"replay", "--from", file, "--to", "local"}).exit == 0);
  receiver.behave([](const Received& request) {
    return request.header("webhook-id") == "msg_m1" ? Reaction::fail(400) : Reaction{};
  });

  const Finished printed = run({"replay", "--from", "dlq", "--to", "-"});
  CHECK(printed.exit == 0);
  CHECK(printed.out.find("\"m0\"") < printed.out.find("\"m2\""));
  const Finished kept = run({"replay", "--from", "dlq", "--to", "destination:hook", "--keep-dead"});
  CHECK(kept.exit == 8);
  CHECK(kept.err.find("replayed 2 · deduplicated 0 · failed 1") != std::string::npos);
  CHECK(run({"dlq", "list", "--by", "destination"}).out.find("hook\t3") != std::string::npos);

  const Finished exported = run({"dlq", "export", "hook"});
  CHECK(exported.exit == 0);
  CHECK(exported.out.find("\"m0\"") < exported.out.find("\"m2\""));
  CHECK(exported.out.find("\"event\":{") != std::string::npos);
  CHECK(exported.out.find("\"user-agent\":\"edged/") != std::string::npos);

  CHECK(run({"replay", "--from", "dlq", "--to", "destination:hook"}).exit == 8);
  CHECK(run({"dlq", "list", "--by", "destination"}).out.find("hook\t1") != std::string::npos);
  CHECK(replays_of_the_last(sandbox, {}) == "1\n");

  CHECK(run({"dlq", "purge", "hook", "-n"}).err.find("would remove 1 ") != std::string::npos);
  CHECK(run({"dlq", "purge", "hook"}).exit == 2);
  CHECK(run({"dlq", "purge", "hook", "--yes"}).err.find("1 dead letters removed") !=
        std::string::npos);
  CHECK(run({"dlq", "export"}).out.empty());
}

TEST_CASE("dead letters are replayed beside the daemon that holds them", "[cli]") {
  Receiver receiver([](const Received&) { return Reaction::fail(400); });
  edge::test::DaemonProcess daemon(
      "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n"
      "[[destinations]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"" +
      receiver.url() + "\"\nenabled = true\n");
  REQUIRE(daemon.start());
  const Sandbox sandbox;
  const std::vector<std::string> there{
      "--url", daemon.url(), "--token-file", sandbox.write("key", daemon.key())};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), there.begin(), there.end());
    return sandbox.edgectl(words, {.env = kAllow});
  };
  const std::string file = sandbox.write("events.jsonl", events(3));
  REQUIRE(run({"send", "-i", file}).exit == 0);
  REQUIRE(receiver.wait_for(3));
  std::string listed;
  for (int i = 0; i < 3'000 && listed.find("http_400\t3") == std::string::npos; ++i) {
    listed = run({"dlq", "list", "--by", "reason"}).out;
  }
  REQUIRE(listed.find("http_400\t3") != std::string::npos);
  receiver.behave([](const Received& request) {
    return request.header("webhook-id") == "msg_m1" ? Reaction::fail(400) : Reaction{};
  });
  const std::string to = "webhook:" + receiver.url();

  const Finished done = run({"replay", "--from", "dlq:hook", "--to", to, "--rate", "50/s"});

  CHECK(done.exit == 8);
  CHECK(done.err.find("replayed 2 · deduplicated 0 · failed 1") != std::string::npos);
  CHECK(run({"dlq", "list", "--by", "reason"}).out.find("http_400\t1") != std::string::npos);
  CHECK(replays_of_the_last(sandbox, there) == "1\n");
  CHECK(run({"replay", "--from", "dlq:hok", "--to", to}).err.find("did you mean: hook") !=
        std::string::npos);
  CHECK(run({"dlq", "retry", "--all", "--rate", "nonsense"}).exit == 2);
  const Finished handed =
      run({"dlq", "retry", "--destination", "hook", "--rate", "50/s", "--select", "/replayed"});
  CHECK(handed.out == "1\n");
}

TEST_CASE("what a destination refuses of a replay can be kept as dead letters", "[cli]") {
  Receiver receiver([](const Received& request) {
    return request.header("webhook-id") == "msg_m1" ? Reaction::fail(400) : Reaction{};
  });
  const Sandbox sandbox;
  const std::string file = sandbox.write("events.jsonl", events(3));
  std::vector<std::string> there;
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), there.begin(), there.end());
    return sandbox.edgectl(words, {.env = kAllow});
  };
  REQUIRE(run({"destination", "create", "hook", "--to", receiver.url()}).exit == 0);
  edge::test::DaemonProcess daemon(
      "[[destinations]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"https://h.example\"\n");
  if (GENERATE(false, true)) {
    REQUIRE(daemon.start());
    there = {"--url", daemon.url(), "--token-file", sandbox.write("key", daemon.key())};
  }

  const Finished done =
      run({"replay", "--from", file, "--to", "destination:hook", "--on-error", "dlq"});

  INFO(done.err);
  CHECK(done.exit == 8);
  CHECK(done.err.find("replayed 2 · deduplicated 0 · failed 1") != std::string::npos);
  CHECK(run({"dlq", "list", "--by", "reason"}).out.find("http_400\t1") != std::string::npos);
  CHECK(run({"dlq", "export", "hook"}).out.find(R"("messageId":"m1")") != std::string::npos);
  CHECK(run({"destination",
             "stats",
             "hook",
             "--since",
             "-1h",
             "--select",
             "/destinations/0/since/dead"})
            .out == "1\n");
  const Finished wrong = run({"replay", "--from", file, "--to", "-", "--on-error", "dlq"});
  CHECK(wrong.exit == 2);
  CHECK(wrong.err.find("--to destination:NAME") != std::string::npos);
}

TEST_CASE("the line to continue an interrupted replay says all that was given", "[cli]") {
  int refused = 0;
  Receiver receiver([&refused](const Received& request) {
    return request.header("webhook-id") == "msg_m3" && refused++ == 0 ? Reaction::fail(400)
                                                                      : Reaction{};
  });
  const Sandbox sandbox;
  std::string table = "id,who,what\n";
  for (int i = 0; i < 9; ++i) {
    table += "m" + std::to_string(i) + ",it's me,Tested\n";
  }
  const std::string file = sandbox.write("my list.csv", table);

  const Finished stopped = sandbox.edgectl({"replay",
                                            "--from",
                                            file,
                                            "--to",
                                            "webhook:" + receiver.url(),
                                            "--map",
                                            "messageId=id",
                                            "--map",
                                            "userId=who",
                                            "--map",
                                            "event=what",
                                            "--where",
                                            "userId = \"it's me\"",
                                            "--until",
                                            "-0s",
                                            "--limit",
                                            "6",
                                            "--in-flight",
                                            "1",
                                            "--on-error",
                                            "stop"});

  CHECK(stopped.exit == 8);
  const std::size_t at = stopped.err.find("continue with: edgectl ");
  REQUIRE(at != std::string::npos);
  const std::string line = stopped.err.substr(at + 15, stopped.err.find('\n', at) - at - 15);
  INFO(line);
  CHECK(line.find("--until 20") != std::string::npos);  // a time, not as seen from now
  const Finished resumed = sandbox.run({"sh", "-c", edge::test::bin_dir() + "/" + line});
  CHECK(resumed.exit == 0);
  CHECK(times_received(receiver).size() == 6);
}

TEST_CASE("a replay of history warns of events whose ids the vendor has forgotten", "[cli]") {
  const Sandbox sandbox;
  const std::map<std::string, std::string> secret{{"EDGE_SECRET_KEY", "k"}};
  const auto run = [&](std::vector<std::string> words) {
    return sandbox.edgectl(words, {.env = secret});
  };
  const std::string file = sandbox.write(
      "events.jsonl",
      R"({"type":"track","event":"E","userId":"u","messageId":"old","timestamp":"2026-01-02T03:04:05Z"})"
      "\n"
      R"({"type":"track","event":"E","userId":"u","messageId":"new"})"
      "\n");
  REQUIRE(run({"replay", "--from", file, "--to", "local"}).exit == 0);
  for (const char* type : {"segment", "amplitude", "mixpanel"}) {
    REQUIRE(run({"destination", "create", type, "--type", type, "--secret", "KEY"}).exit == 0);
  }
  const auto rehearsed = [&](const std::string& from, const std::string& to) {
    return run({"replay", "--from", from, "--to", "destination:" + to, "-n"}).err;
  };

  CHECK(rehearsed("store", "segment").find("warning: 1 event is older than 24 h") !=
        std::string::npos);
  CHECK(rehearsed("store", "amplitude").find("1 event is older than 168 h") != std::string::npos);
  CHECK(rehearsed("store", "mixpanel").find("older") == std::string::npos);
  CHECK(rehearsed(file, "segment").find("older") == std::string::npos);
}

TEST_CASE("the progress of a replay says how much is done, how fast and how long yet", "[cli]") {
  const Receiver receiver;
  const Sandbox sandbox;
  const std::string file = sandbox.write("events.jsonl", events(60));
  const auto shown = [&](std::vector<std::string> more) {
    more.insert(more.begin(),
                {"replay",
                 "--from",
                 file,
                 "--to",
                 "webhook:" + receiver.url(),
                 "--rate",
                 "50/s",  // so it takes more than the half second without progress
                 "--in-flight",
                 "1"});
    return sandbox.edgectl(more).err;
  };

  const std::string drawn = shown({"--progress", "always", "--no-dedupe"});
  INFO(drawn);
  CHECK(drawn.find("replay ━") != std::string::npos);
  CHECK(drawn.find("/60  ") != std::string::npos);
  CHECK(drawn.find("  0 failed  eta ") != std::string::npos);
  CHECK(drawn.find("\r\x1b[Kread 60") != std::string::npos);
  CHECK(shown({"--progress", "never"}).find(" %") == std::string::npos);
}
