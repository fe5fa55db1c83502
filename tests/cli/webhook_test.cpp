// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "core/json/document.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::Finished;
using edge::test::Reaction;
using edge::test::Received;
using edge::test::Receiver;
using edge::test::RunOptions;
using edge::test::Sandbox;
namespace json = edge::json;

namespace {

const RunOptions kSecret{.env = {{"EDGE_SECRET_SHOP", "whsec_c2VjcmV0LW9mLXRoZS1zaG9w"},
                                 {"EDGE_SECRET_NEXT", "whsec_dGhlLW5leHQtc2VjcmV0"},
                                 {"EDGE_SECRET_ODD", "not base64!"}}};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// A sandbox with a body, for `webhook VERB -i body.json --secret SHOP …`.
struct Desk {
  Sandbox sandbox;
  std::string body = sandbox.write("body.json", "[{\"a\":1},{\"b\":2}]\n");

  [[nodiscard]] Finished run(const std::string& verb, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"webhook", verb, "-i", body};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return sandbox.edgectl(arguments, kSecret);
  }
  [[nodiscard]] Finished verify(const std::vector<std::string>& fields,
                                std::vector<std::string> more) const {
    for (const std::string& field : fields) {
      more.insert(more.end(), {"--header", field});
    }
    return run("verify", std::move(more));
  }
  /// Runs a script with `edgectl webhook listen OPTIONS` behind it; $url is where it listens, and
  /// the script ends with what the listener ended with.
  [[nodiscard]] Finished beside_listener(const std::string& options,
                                         const std::string& script) const {
    const std::string text =
        "mkfifo talk; edgectl webhook listen " + options +
        " >heard 2>talk & listener=$!; exec 3<talk; read -r _ _ url <&3; cat <&3 >said &\n" +
        script + "\nwait $listener; code=$?; cat heard; cat said >&2; exit $code";
    RunOptions with = kSecret;
    with.env["PATH"] = edge::test::bin_dir() + ":/usr/bin:/bin";
    return sandbox.run({"bash", "-mc", text}, with);
  }
};

}  // namespace

TEST_CASE("webhook knows its own signature of every scheme", "[cli]") {
  const auto scheme = GENERATE(as<std::vector<std::string>>(),
                               std::vector<std::string>{"--signature", "standard"},
                               std::vector<std::string>{"--signature", "segment"},
                               std::vector<std::string>{"--signature", "hub-sha1"},
                               std::vector<std::string>{"--signature", "hub-sha256"},
                               std::vector<std::string>{"--signature",
                                                        "hmac",
                                                        "--field",
                                                        "X-Mine",
                                                        "--algorithm",
                                                        "sha384",
                                                        "--encoding",
                                                        "base64",
                                                        "--prefix",
                                                        "v0="});
  const Desk desk;
  std::vector<std::string> options = {"--secret", "SHOP"};
  options.insert(options.end(), scheme.begin(), scheme.end());

  const Finished made = desk.run("sign", options);
  const std::vector<std::string> fields = lines_of(made.out);

  INFO(scheme[1] << ": " << made.out << made.err);
  REQUIRE(made.exit == 0);
  REQUIRE(fields.size() == (scheme[1] == "standard" ? 3 : 1));
  const Finished good = desk.verify(fields, options);
  CHECK(good.exit == 0);
  CHECK(good.out == "ok\n");
  options.insert(options.end(), {"--json"});
  options[1] = "NEXT";
  const Finished bad = desk.verify(fields, options);
  CHECK(bad.exit == 1);
  CHECK(bad.out.find("\"reason\": \"mismatch\"") != std::string::npos);
  const Finished none = desk.verify({}, options);
  CHECK(none.exit == 1);
  CHECK(none.out.find("\"reason\": \"missing_header\"") != std::string::npos);
}

TEST_CASE("webhook verify says how old a signature may be, and knows a rotated secret", "[cli]") {
  const Desk desk;
  const std::vector<std::string> fields = lines_of(
      desk.run("sign", {"--secret", "SHOP", "--id", "msg_1", "--timestamp", "1700000000"}).out);
  REQUIRE(fields.size() == 3);

  const auto [now, tolerance, exit, said] = GENERATE(
      table<const char*, const char*, int, const char*>({{"1700000300", "5m", 0, "ok\n"},
                                                         {"1700000301", "5m", 1, "too_old\n"},
                                                         {"1700000301", "10m", 0, "ok\n"},
                                                         {"1699999699", "5m", 1, "too_new\n"}}));
  const Finished run = desk.verify(
      fields, {"--secret", "NEXT", "--secret", "SHOP", "--now", now, "--tolerance", tolerance});

  INFO(run.err);
  CHECK(run.exit == exit);
  CHECK(run.out == said);
}

TEST_CASE("webhook complains about what it cannot use", "[cli]") {
  struct Case {
    std::string verb;
    std::vector<std::string> arguments;
    int exit;
    std::string said;
  };
  const Case wrong = GENERATE(
      as<Case>(),
      Case{"sign", {}, 2, "give --secret NAME"},
      Case{"sign", {"--secret", "NONE"}, 3, "EDGE_SECRET_NONE"},
      Case{"sign", {"--secret", "ODD"}, 3, "not base64"},
      Case{"sign", {"--secret", "SHOP", "--signature", "md5"}, 2, "md5"},
      Case{"sign", {"--secret", "SHOP", "--signature", "hmac"}, 2, "--field NAME"},
      Case{"sign", {"--secret", "SHOP", "--field", "X"}, 2, "--field is for the scheme hmac"},
      Case{"sign", {"--secret", "SHOP", "--id", "a b"}, 2, "visible ASCII"},
      Case{"sign",
           {"--secret", "SHOP", "--signature", "hmac", "--field", "X", "--prefix", "a\nb"},
           2,
           "control characters"},
      Case{"verify", {"--secret", "SHOP", "--header", "no colon"}, 2, "NAME: VALUE"},
      Case{"verify", {"--secret", "SHOP", "--tolerance", "long"}, 2, "long"},
      Case{"send", {"ftp://x/"}, 2, "ftp://x/"},
      Case{"send", {"http://127.0.0.1:1/", "--secret", "NONE"}, 3, "EDGE_SECRET_NONE"});
  const Desk desk;

  const Finished run = desk.run(wrong.verb, wrong.arguments);

  INFO(run.err);
  CHECK(run.exit == wrong.exit);
  CHECK(run.err.find(wrong.said) != std::string::npos);
  CHECK(run.out.empty());
}

TEST_CASE("webhook listen complains about what it cannot use", "[cli]") {
  const auto [arguments, exit, said] = GENERATE(table<std::vector<std::string>, int, std::string>(
      {{{"--respond", "99"}, 2, "--respond"},
       {{"--fail-rate", "1.5"}, 2, "--fail-rate"},
       {{"--port", "70000"}, 2, "--port"},
       {{"--count", "0"}, 2, "--count"},
       {{"--secret", "SHOP"}, 2, "--verify-signature"},
       {{"--verify-signature", "standard"}, 2, "--secret NAME"},
       {{"--verify-signature", "standard", "--secret", "NONE"}, 3, "EDGE_SECRET_NONE"},
       {{"--save", "no/such/folder/x"}, 9, "no/such/folder/x"}}));
  const Sandbox sandbox;
  std::vector<std::string> command = {"webhook", "listen"};
  command.insert(command.end(), arguments.begin(), arguments.end());

  const Finished run = sandbox.edgectl(command, kSecret);

  INFO(run.err);
  CHECK(run.exit == exit);
  CHECK(run.err.find(said) != std::string::npos);
}

TEST_CASE("webhook listen names a port that is taken", "[cli]") {
  const Receiver taken;
  const Sandbox sandbox;

  const Finished run =
      sandbox.edgectl({"webhook", "listen", "--port", std::to_string(taken.port())});

  CHECK(run.exit == 9);
  CHECK(run.err.find(std::to_string(taken.port())) != std::string::npos);
  CHECK(run.err.find("--port 0") != std::string::npos);
}

TEST_CASE("webhook send posts a signed body and tells the answer", "[cli]") {
  Receiver receiver([](const Received& request) {
    return Reaction{.status = request.header("webhook-signature").starts_with("v1,") ? 200 : 401,
                    .body = "said"};
  });
  const Desk desk;

  const Finished sent = desk.run(
      "send",
      {receiver.url(), "--secret", "SHOP", "--id", "msg_7", "--header", "X-Shop: one", "--json"});
  const Finished refused = desk.run("send", {receiver.url()});
  const Finished dry = desk.run("send", {receiver.url(), "-n"});
  const Finished nobody = desk.run("send", {"http://127.0.0.1:1/"});

  CHECK(sent.exit == 0);
  CHECK(sent.out.find("\"status\": 200") != std::string::npos);
  CHECK(sent.out.find("\"body\": \"said\"") != std::string::npos);
  CHECK(refused.exit == 7);
  CHECK(refused.out.starts_with("HTTP 401"));
  CHECK(dry.exit == 0);
  CHECK(nobody.exit == 6);
  const auto requests = receiver.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].header("webhook-id") == "msg_7");
  CHECK(requests[0].header("x-shop") == "one");
  CHECK(requests[0].header("content-type") == "application/json");
  CHECK(requests[0].body == "[{\"a\":1},{\"b\":2}]\n");
}

TEST_CASE("webhook listen prints verified deliveries and refuses the others", "[cli]") {
  const Desk desk;

  const Finished run = desk.beside_listener(
      "--count 1 --verify-signature standard --secret SHOP --save all.jsonl",
      "edgectl webhook send ${url}hook -i body.json --secret NEXT >bad; echo $? >code\n"
      "edgectl webhook send ${url}hook -i body.json --secret SHOP --id msg_1 >good");
  const std::vector<std::string> heard = lines_of(run.out);
  const std::vector<std::string> saved = lines_of(desk.sandbox.read("all.jsonl"));

  INFO(run.out << run.err);
  CHECK(run.exit == 0);
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].ends_with("POST /hook  401  18 octets  signature mismatch"));
  CHECK(heard[1].ends_with("POST /hook  200  18 octets  signature ok  msg_1"));
  CHECK(desk.sandbox.read("code") == "7\n");
  REQUIRE(saved.size() == 2);
  const auto record = json::Document::parse(saved[1], json::kStrict);
  REQUIRE(record);
  CHECK(record->root().find("body")->as_string() == "[{\"a\":1},{\"b\":2}]\n");
  CHECK(record->root().find("id")->as_string() == "msg_1");
}

TEST_CASE("webhook listen fails as often as it is told, and ends with 1 when too few came",
          "[cli]") {
  const Desk desk;

  const Finished run = desk.beside_listener("--count 2 --for 1h --fail-rate 1 -f jsonl",
                                            "edgectl webhook send ${url} -i body.json >refused\n"
                                            "edgectl webhook send ${url} -i body.json >refused");
  const Finished few = desk.sandbox.edgectl({"webhook", "listen", "--count", "1", "--for", "1ms"});

  CHECK(run.exit == 0);
  CHECK(desk.sandbox.read("refused").starts_with("HTTP 503"));
  const std::vector<std::string> heard = lines_of(run.out);
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].find("\"status\":503") != std::string::npos);
  CHECK(few.exit == 1);
  CHECK(few.err.find("0 of 1 requests came") != std::string::npos);
}
