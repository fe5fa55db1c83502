// SPDX-License-Identifier: MIT
// Segments and people through a real daemon: what the routes answer and what destinations hear.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "core/transport/open.h"
#include "tests/support/daemon_process.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using namespace std::chrono_literals;
using edge::test::DaemonProcess;
using edge::test::Receiver;
namespace json = edge::json;
namespace transport = edge::transport;

namespace {

/// An answer, taken apart.
struct Answer {
  int status = 0;
  std::shared_ptr<json::Document> body;

  [[nodiscard]] std::string text(std::string_view pointer) const {
    const auto value = body ? body->root().at_pointer(pointer) : std::nullopt;
    return !value ? "(absent)" : std::string(value->as_string().value_or(value->raw()));
  }
};

/// Asks the daemon with its local key.
class Client {
 public:
  explicit Client(const DaemonProcess& daemon) : daemon_(daemon) {}

  Answer ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    transport::OutgoingRequest request{
        .method = method, .url = daemon_.url() + target, .body = body};
    request.headers = {{"Authorization", "Bearer " + daemon_.key()}};
    if (!body.empty()) {
      request.headers.emplace_back("Content-Type", "application/json");
    }
    const auto response = http_->send(request);
    REQUIRE(response);
    auto document = json::Document::parse(response->body, json::kEvent);
    return {.status = response->status,
            .body = document ? std::make_shared<json::Document>(std::move(*document)) : nullptr};
  }
  Answer get(const std::string& target) { return ask("GET", target); }
  Answer post(const std::string& target, const std::string& body) {
    return ask("POST", target, body);
  }
  /// Asks until the segment is computed.
  void wait_ready(const std::string& segment) {
    const auto end = std::chrono::steady_clock::now() + 1min;
    std::string state;
    while (state != "ready") {
      state = get("/cdp/segments/definitions/" + segment).text("/state");
      REQUIRE(std::chrono::steady_clock::now() < end);
    }
  }

 private:
  const DaemonProcess& daemon_;
  edge::SystemClock clock_;
  std::unique_ptr<transport::HttpClient> http_ = transport::open_client(
      [] {
        transport::GuardRules rules{.allow_http = true};
        rules.add_loopback();
        return rules;
      }(),
      clock_);
};

std::string track(const std::string& user, const std::string& event, const std::string& id) {
  return fmt::format(
      R"({{"userId":"{}","event":"{}","messageId":"{}","properties":{{"n":1}}}})", user, event, id);
}

}  // namespace

TEST_CASE("a segment is defined, entered, left by time, explained and removed", "[integration]") {
  const Receiver receiver;
  DaemonProcess daemon(fmt::format(R"([outbound]
allow_http = true
allow_private = ["127.0.0.0/8"]
[[destinations]]
name = "crm"
type = "webhook"
url = "{}"
events = {{ allow = ["Audience Entered", "Audience Exited"] }}
[[segments]]
name = "pros"
when = "plan = pro"
)",
                                   receiver.url("/hook")));
  REQUIRE(daemon.start());
  Client client(daemon);
  REQUIRE(client.post("/cdp/track", track("u", "Order", "m1")).status == 200);

  const Answer made = client.ask(
      "PUT",
      "/cdp/segments/definitions/fresh",
      R"json({"when":"did(\"Order\", 6s) and not segment(\"pros\")","send":[{"destination":"crm"}]})json");
  CHECK(made.status == 200);
  CHECK(made.text("/when") == R"json(count("Order", 6s) >= 1 and not segment("pros"))json");
  CHECK(made.text("/conditions/0") == "and");
  client.wait_ready("fresh");
  REQUIRE(client.post("/cdp/track", track("v", "Order", "m2")).status == 200);
  CHECK(client.get("/realtime/segments/v").text("/segments").find("\"fresh\"") !=
        std::string::npos);
  CHECK(client.get("/cdp/segments/definitions/fresh/explain?userId=v")
            .text("/tree/children/0/seen") == "1");

  // Nobody sends anything any more: the exit comes by itself.
  const auto heard = [&](const std::string& what, const std::string& user) {
    for (const auto& request : receiver.requests()) {
      if (request.body.find(what) != std::string::npos &&
          request.body.find("\"userId\":\"" + user + "\"") != std::string::npos) {
        return true;
      }
    }
    return false;
  };
  for (std::size_t n = 1; !heard("Audience Exited", "v"); ++n) {
    REQUIRE(receiver.wait_for(n));
  }
  CHECK(heard("Audience Entered", "v"));
  CHECK(client.get("/realtime/segments/v").text("/segments").find("fresh") == std::string::npos);
  const Answer history =
      client.get("/cdp/profiles/" +
                 client.post("/cdp/profile", R"({"userId":"v"})").text("/profileId") + "/history");
  CHECK(history.text("/segments/0/reason") == "time");
  CHECK(history.text("/segments/1/messageId") == "m2");

  CHECK(client.ask("PUT", "/cdp/segments/definitions/pros", R"({"when":"a = 1"})").status == 409);
  const Answer bad = client.ask("PUT", "/cdp/segments/definitions/bad", R"({"when":"a = and"})");
  CHECK(bad.status == 400);
  CHECK(bad.text("/code") == "bad_expression");
  CHECK(bad.text("/detail").find("column 5") != std::string::npos);
  CHECK(client
            .ask("PUT",
                 "/cdp/segments/definitions/x",
                 R"({"when":"a = 1","send":[{"destination":"nobody"}]})")
            .status == 400);
  CHECK(client.ask("DELETE", "/cdp/segments/definitions/fresh").status == 200);
  CHECK(client.get("/cdp/segments/definitions/fresh").status == 404);
  CHECK(client.get("/cdp/segments/definitions").text("/segments/0/origin") == "configuration");
  CHECK(daemon.stop(SIGTERM) == 0);
}

TEST_CASE("definitions made through the API survive a crash", "[integration]") {
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  {
    Client client(daemon);
    for (int i = 0; i < 40; ++i) {
      REQUIRE(client.post("/cdp/track", track("u", "Order", "m" + std::to_string(i))).status ==
              200);
    }
    REQUIRE(client
                .ask("PUT",
                     "/cdp/segments/definitions/forty",
                     R"json({"when":"count(\"Order\") = 40"})json")
                .status == 200);
  }
  REQUIRE(daemon.stop(SIGKILL) == 128 + SIGKILL);
  REQUIRE(daemon.start());
  Client client(daemon);

  client.wait_ready("forty");
  CHECK(client.get("/realtime/segments/u").text("/segments").find("forty") != std::string::npos);
  CHECK(client.get("/cdp/segments/definitions/forty").text("/size") == "1");
  const Answer preview = client.post("/cdp/segments/definitions/preview",
                                     R"json({"when":"count(\"Order\") >= 40","limit":3})json");
  CHECK(preview.text("/count") == "1");
  CHECK(preview.text("/sample/0/userId") == "u");
  const Answer compared =
      client.post("/cdp/segments/definitions/preview", R"({"name":"forty","compare":true})");
  CHECK(compared.text("/count") == "1");
  CHECK(compared.text("/differ") == "0");
  CHECK(client
            .post("/cdp/segments/definitions/preview",
                  R"({"name":"forty","when":"a = 1","compare":true})")
            .status == 400);
}

TEST_CASE("a real-time action is answered with what it changed", "[integration]") {
  DaemonProcess daemon("[[segments]]\nname = \"clicker\"\nwhen = 'did(\"Button Clicked\")'\n");
  REQUIRE(daemon.start());
  Client client(daemon);

  const Answer done =
      client.post("/realtime/action",
                  R"({"type":"button_click","userId":"u","data":{"buttonId":"b"},"source":"web"})");
  CHECK(done.status == 200);
  CHECK(done.text("/success") == "true");
  CHECK(done.text("/update/userId") == "u");
  CHECK(done.text("/update/entered") == R"(["clicker","interactive_user","new_user"])");
  CHECK(done.text("/update/exited") == "[]");
  CHECK(done.text("/update/segments").find("interactive_user") != std::string::npos);
  CHECK(done.text("/sessionId").size() == 13);
  const Answer bad = client.post("/realtime/action", R"({"type":"dance","userId":"u"})");
  CHECK(bad.status == 400);
  CHECK(bad.text("/error") == "Invalid action event format");
  CHECK(bad.text("/details/0") != "(absent)");
}

TEST_CASE("people are put into segments by hand, listed, merged and parted", "[integration]") {
  DaemonProcess daemon("");
  REQUIRE(daemon.start());
  Client client(daemon);

  const Answer added =
      client.post("/realtime/segments/new-one", R"({"segment":"beta","source":"sales"})");
  CHECK(added.status == 200);
  CHECK(added.text("/source") == "sales");
  CHECK(client.post("/cdp/segments", R"({"userId":"new-one"})").text("/segments").find("beta") !=
        std::string::npos);
  CHECK(client.post("/realtime/segments/new-one", R"({"segment":"no name"})").status == 400);
  CHECK(client.ask("DELETE", "/realtime/segments/new-one/beta").status == 200);
  CHECK(client.get("/realtime/segments/new-one").text("/segments").find("beta") ==
        std::string::npos);
  CHECK(client.ask("DELETE", "/realtime/segments/stranger/beta").status == 404);

  for (const char* user : {"a", "b"}) {
    REQUIRE(client
                .post("/cdp/identify",
                      fmt::format(R"({{"userId":"{}","traits":{{"team":"red"}}}})", user))
                .status == 200);
  }
  const Answer found = client.get("/cdp/profiles?where=team%20%3D%20red&limit=1");
  CHECK(found.text("/items/0/userId") == "a");
  const Answer rest =
      client.get("/cdp/profiles?where=team%20%3D%20red&cursor=" + found.text("/next"));
  CHECK(rest.text("/items/0/userId") == "b");
  CHECK(rest.text("/next") == "null");
  CHECK(client.get("/cdp/profiles?where=team%20%3D").status == 400);

  const std::string a = found.text("/items/0/profileId");
  const std::string b = rest.text("/items/0/profileId");
  const Answer merged =
      client.post("/cdp/profiles/" + b + "/merge", fmt::format(R"({{"into":"{}"}})", a));
  CHECK(merged.text("/identifiers/alias_id/0") == "b");
  CHECK(client.get("/cdp/profiles/" + b).text("/profileId") == a);
  const std::string merge = client.get("/cdp/profiles/" + a + "/history").text("/merges/0/id");
  CHECK(client.post("/cdp/profiles/" + a + "/unmerge", fmt::format(R"({{"merge":"{}"}})", merge))
            .status == 200);
  CHECK(client.get("/cdp/profiles/" + b).text("/userId") == "b");
  CHECK(client.post("/cdp/profiles/" + a + "/unmerge", fmt::format(R"({{"merge":"{}"}})", merge))
            .status == 409);
}

TEST_CASE("the command line and the daemon say the same of segments", "[integration]") {
  const std::string config = "[[segments]]\nname = \"pros\"\nwhen = \"plan = pro\"\n";
  DaemonProcess daemon(config);
  REQUIRE(daemon.start());
  Client client(daemon);
  REQUIRE(client.post("/cdp/identify", R"({"userId":"u","traits":{"plan":"pro"}})").status == 200);
  const edge::test::Sandbox sandbox;
  const std::string key = sandbox.write("key", daemon.key());
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--url", daemon.url(), "--token-file", key});
    return sandbox.edgectl(arguments);
  };

  const auto explained = run({"segment", "explain", "pros", "-u", "u"});
  const auto eval = run({"segment", "eval", "-u", "u", "--expect", "pros", "--json"});
  const auto list = run({"segment", "list"});
  const auto shown = run({"segment", "show", "pros", "--select", "/when"});
  const auto preview = run({"segment", "preview", "pros", "--select", "/count"});
  const auto find =
      run({"profile", "find", "--where", "plan = pro", "--select", "/profiles/0/userId"});
  const auto history = run({"profile", "history", "u"});

  CHECK(explained.out == "pros: member\n✓ plan == \"pro\"    seen \"pro\"\n");
  CHECK(eval.exit == 0);
  CHECK(eval.out.find("\"ok\": true") != std::string::npos);
  CHECK(list.out.find("pros\tready\t1\t1\t0\tplan == \"pro\"") != std::string::npos);
  CHECK(shown.out == "plan == \"pro\"\n");
  CHECK(preview.out == "1\n");
  CHECK(find.out == "u\n");
  CHECK(history.out.find("trait plan: - -> pro") != std::string::npos);
  CHECK(history.out.find("enter pros (event)") != std::string::npos);
  CHECK(run({"segment", "explain", "none", "-u", "u"}).exit == 5);
  CHECK(run({"segment", "eval", "pros", "-u", "u", "--expect", "!pros"}).exit == 1);
}
