// SPDX-License-Identifier: MIT
// destination: every verb on the local store.
#include <catch2/catch.hpp>

#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::Sandbox;

namespace {

/// A sandbox whose destinations may be on this machine.
struct Shop {
  Sandbox sandbox;
  Shop() {
    sandbox.write(
        "edge.toml",
        "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n"
        "[[destinations]]\nname = \"fixed\"\ntype = \"webhook\"\nurl = \"https://h.example/\"\n");
  }
  [[nodiscard]] Finished run(std::vector<std::string> arguments,
                             const std::string& input = {}) const {
    arguments.insert(arguments.begin(), "destination");
    return sandbox.edgectl(arguments, {.input = input});
  }
  [[nodiscard]] std::string shown(const std::string& name, const std::string& pointer) const {
    return run({"show", name, "--select", pointer}).out;
  }
};

}  // namespace

TEST_CASE("a destination is made, changed, paused, disabled and deleted", "[cli]") {
  const Shop shop;

  const Finished made = shop.run({"create",
                                  "crm",
                                  "--to",
                                  "https://crm.example/in",
                                  "--set",
                                  "format=standard",
                                  "--set",
                                  "rate=30/m",
                                  "--set",
                                  "retry:={\"maxAttempts\":3}",
                                  "--consent",
                                  "ads",
                                  "--consent",
                                  "stats",
                                  "--filter",
                                  "properties.total > 5",
                                  "--ip",
                                  "none"});
  INFO(made.err);
  REQUIRE(made.exit == 0);
  CHECK(shop.shown("crm", "/config/format") == "standard\n");
  CHECK(shop.shown("crm", "/rate") == "0.5\n");
  CHECK(shop.shown("crm", "/retry/maxAttempts") == "3\n");
  CHECK(shop.shown("crm", "/consent/1") == "stats\n");
  CHECK(shop.shown("crm", "/filter") == "properties.total > 5\n");
  CHECK(shop.shown("crm", "/ip") == "none\n");
  CHECK(shop.run({"update", "crm", "--set", "format:=null", "--set", "concurrency:=2"}).exit == 0);
  CHECK(shop.shown("crm", "/concurrency") == "2\n");
  CHECK(shop.shown("crm", "/rate") == "0.5\n");
  CHECK(shop.run({"show", "crm"}).out.find("standard") == std::string::npos);
  CHECK(shop.run({"pause", "crm"}).exit == 0);
  CHECK(shop.shown("crm", "/state") == "paused\n");
  CHECK(shop.run({"resume", "crm"}).exit == 0);
  CHECK(shop.shown("crm", "/state") == "running\n");
  CHECK(shop.run({"disable", "crm"}).exit == 0);
  CHECK(shop.shown("crm", "/state") == "disabled\n");
  CHECK(shop.run({"enable", "crm"}).exit == 0);
  CHECK(shop.shown("crm", "/state") == "running\n");
  CHECK(shop.run({"list"}).out.find("crm\twebhook\trunning") != std::string::npos);
  CHECK(shop.run({"stats", "crm"}).out.starts_with("id\tdelivered"));
  CHECK(shop.run({"delete", "crm", "-n"}).exit == 0);
  CHECK(shop.run({"delete", "crm"}).exit == 0);
  CHECK(shop.run({"show", "crm"}).exit == 5);
}

TEST_CASE("destination complains about what it cannot use", "[cli]") {
  const Shop shop;
  const auto [arguments, exit, said] = GENERATE(table<std::vector<std::string>, int, std::string>(
      {{{"create", "x"}, 3, "url"},
       {{"create", "x", "--type", "fax"}, 3, "fax"},
       {{"create", "x", "--to", "ftp://x"}, 3, "https://"},
       {{"create", "x", "--to", "https://x", "--filter", "event = = 1"}, 3, "column 9"},
       {{"create", "x", "--to", "https://x", "--ip", "half"}, 2, "half"},
       {{"create", "x", "--to", "https://x", "--set", "rate=fast"}, 3, "rate"},
       {{"create", "x", "--to", "https://x", "--set", "colour=red"}, 3, "colour"},
       {{"create", "x", "--to", "https://x", "--secret", "NONE"}, 3, "edgectl secret set NONE"},
       {{"create", "fixed", "--to", "https://x"}, 7, "already"},
       {{"update", "fixed", "--set", "rate=1/s"}, 7, "configuration"},
       {{"delete", "fixed"}, 7, "configuration"},
       {{"pause", "nobody"}, 5, "nobody"},
       {{"resume", "nobody"}, 5, "nobody"},
       {{"stats", "nobody"}, 5, "nobody"},
       {{"test", "nobody"}, 5, "nobody"}}));

  REQUIRE(shop.run({"resume", "fixed"}).exit == 0);  // makes the store

  const Finished run = shop.run(arguments);

  INFO(run.err);
  CHECK(run.exit == exit);
  CHECK(run.err.find(said) != std::string::npos);
}

TEST_CASE("destination previews and tests, and pauses what stands in the file", "[cli]") {
  const Receiver receiver([](const Received&) { return Reaction::fail(500); });
  const Shop shop;
  REQUIRE(shop.run({"create", "hook", "--to", receiver.url(), "--ip", "truncate"}).exit == 0);

  const Finished preview = shop.run(
      {"preview", "hook", "-i", "-", "--canonical", "--json"},
      R"({"type":"track","event":"e","messageId":"m","userId":"u","context":{"ip":"203.0.113.9"}})");
  const Finished test = shop.run({"test", "hook"});

  INFO(preview.err);
  CHECK(preview.exit == 0);
  CHECK(preview.out.find("203.0.113.0") != std::string::npos);
  CHECK(preview.out.find("\"user-agent\": \"edged/") != std::string::npos);
  CHECK(preview.out.find("\"x-edge-hops\": \"1\"") != std::string::npos);
  CHECK(test.exit == 1);
  CHECK(receiver.count() == 1);
  CHECK(shop.run({"pause", "fixed"}).exit == 0);
  CHECK(shop.shown("fixed", "/state") == "paused\n");
}

TEST_CASE("settings of a destination may be given as a whole, single ones lie over them", "[cli]") {
  const Shop shop;

  const Finished made = shop.run({"create",
                                  "crm",
                                  "--to",
                                  "https://crm.example/in",
                                  "--set",
                                  R"(config:={"format":"standard","method":"PUT"})",
                                  "--set",
                                  "method=PATCH"});
  const Finished wrong =
      shop.run({"create", "x", "--to", "https://x.example", "--set", "config=format"});

  INFO(made.err);
  CHECK(made.exit == 0);
  CHECK(shop.shown("crm", "/config/format") == "standard\n");
  CHECK(shop.shown("crm", "/config/method") == "PATCH\n");
  CHECK(wrong.exit == 2);
  CHECK(wrong.err.find("config:=") != std::string::npos);
}

TEST_CASE("destinations of the configuration are known before there is a store", "[cli]") {
  const Shop shop;
  const std::string event = R"({"type":"track","event":"e","userId":"u"})";

  const Finished list = shop.run({"list"});
  const Finished preview = shop.run({"preview", "fixed", "-i", "-"}, event);
  const Finished wrong = shop.run({"preview", "fixd", "-i", "-"}, event);

  INFO(list.err << preview.err);
  CHECK(list.out.find("fixed\twebhook") != std::string::npos);
  CHECK(shop.run({"show", "fixed"}).exit == 0);
  CHECK(preview.exit == 0);
  CHECK(preview.out.find("https://h.example/") != std::string::npos);
  CHECK(wrong.exit == 5);
  CHECK(wrong.err.find("there is no destination \"fixd\"\n  did you mean: fixed\n") !=
        std::string::npos);
}
