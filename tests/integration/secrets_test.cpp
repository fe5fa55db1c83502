// SPDX-License-Identifier: MIT
// Plants every kind of secret in a real daemon, leads it through traffic and errors, and looks for
// them everywhere it speaks: log, metrics, answers, arguments, environment (identity spec 5).
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/transport/open.h"
#include "tests/support/daemon_process.h"
#include "tests/support/process.h"
#include "tests/support/receiver.h"

using edge::test::DaemonProcess;
using edge::test::Receiver;
using edge::test::Sandbox;
namespace json = edge::json;
namespace transport = edge::transport;

namespace {

const std::string kJwtSecret = "planted-jwt-secret-Tq9vXk2mWc7R0a";
const std::string kListedKey = "planted-listed-key-Zp4uLd8n";
const std::string kPassword = "planted-password-Hy6-battery";
const std::string kOtherPassword = "planted-other-Ub3-password";
const std::string kHookOctets = "planted-hook-secret-Jm5sQe1x";

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string member(const std::string& body, std::string_view pointer) {
  const auto document = json::Document::parse(body, json::kApi);
  const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
  return value ? std::string(value->as_string().value_or(value->raw())) : "";
}

/// The local key without its line end.
std::string key_of(const DaemonProcess& daemon) {
  std::string key = daemon.key();
  while (key.ends_with('\n')) {
    key.pop_back();
  }
  return key;
}

/// A client that keeps every answer with a status of 400 and more.
class Client {
 public:
  explicit Client(std::string url) : url_(std::move(url)) {}

  std::string ask(const std::string& method,
                  const std::string& target,
                  const std::string& body = "",
                  transport::Headers headers = {}) {
    if (!body.empty()) {
      headers.emplace_back("Content-Type", "application/json");
    }
    const auto answer = client_->send(
        {.method = method, .url = url_ + target, .headers = std::move(headers), .body = body});
    INFO(method << " " << target << ": " << (answer ? "" : answer.error().message));
    REQUIRE(answer);
    if (answer->status >= 400) {
      refusals_ += answer->body + "\n";
      for (const auto& [name, value] : answer->headers) {
        refusals_ += name + ": " + value + "\n";
      }
    }
    return answer->body;
  }
  [[nodiscard]] const std::string& refusals() const { return refusals_; }

 private:
  edge::SystemClock clock_;
  std::unique_ptr<transport::HttpClient> client_ =
      transport::open_client(transport::GuardRules::trusted(), clock_);
  std::string url_;
  std::string refusals_;
};

/// What is planted, and where it must not turn up.
struct Hunt {
  std::map<std::string, std::string> planted;

  void plant(const std::string& name, const std::string& secret) {
    REQUIRE(secret.size() >= 16);
    planted[name] = secret;
  }
  void look_in(const std::string& place, const std::string& text) const {
    for (const auto& [name, secret] : planted) {
      INFO(name << " in " << place);
      CHECK(text.find(secret) == std::string::npos);
    }
  }
};

void lead_through_accounts(Client& client, Hunt& hunt) {
  const std::string account = R"("email":"ada@example.com","password":")" + kPassword + "\"";
  client.ask("POST", "/auth/register", "{" + account + R"(,"name":"Ada"})");
  client.ask("POST", "/auth/register", "{" + account + R"(,"name":"Ada","roles":["admin"]})");
  client.ask("POST", "/auth/login", "{" + account + R"(,"more":1})");
  client.ask("POST", "/auth/login", "{" + account);
  client.ask(
      "POST", "/auth/login", R"({"email":"ada@example.com","password":")" + kOtherPassword + "\"}");
  const std::string login = client.ask("POST", "/auth/login", "{" + account + "}");
  const std::string access = member(login, "/accessToken");
  const std::string refresh = member(login, "/refreshToken");
  hunt.plant("access token", access);
  hunt.plant("refresh token", refresh);
  const transport::Headers bearer = {{"Authorization", "Bearer " + access}};
  client.ask("GET", "/auth/me", "", bearer);
  client.ask("GET", "/admin/users", "", bearer);
  client.ask("GET", "/auth/me?access_token=" + access + "&password=" + kPassword);
  client.ask("GET", "/nowhere?token=" + access, "", {{"Cookie", "edge_console=" + access}});
  client.ask("GET", "/auth/me", "", {{"Authorization", "Bearer " + access + "x"}});
  client.ask("GET", "/auth/me", "", {{"Authorization", "Bearer " + refresh}});
  client.ask("POST", "/auth/refresh", R"({"refreshToken":")" + access + "\"}");
  const std::string renewed =
      client.ask("POST", "/auth/refresh", R"({"refreshToken":")" + refresh + "\"}");
  hunt.plant("second refresh token", member(renewed, "/refreshToken"));
  client.ask("POST", "/auth/refresh", R"({"refreshToken":")" + refresh + "\"}");
  client.ask(
      "POST",
      "/auth/password",
      R"({"currentPassword":")" + kOtherPassword + R"(","newPassword":")" + kPassword + "\"}",
      {{"Authorization", "Bearer " + member(renewed, "/accessToken")}});
}

void lead_through_keys(Client& client, Hunt& hunt, const std::string& local_key) {
  const transport::Headers local = {{"Authorization", "Bearer " + local_key}};
  const std::string made = client.ask(
      "POST", "/admin/apikeys", R"({"name":"importer","scopes":["track:write"]})", local);
  const std::string key = member(made, "/key");
  hunt.plant("api key", key);
  hunt.plant("secret of the api key", key.substr(15, 52));
  client.ask("GET", "/auth/me", "", {{"X-API-Key", key}});
  client.ask("GET", "/admin/users", "", {{"X-API-Key", key}});
  client.ask("GET", "/auth/me", "", {{"X-API-Key", key.substr(0, 73) + "a"}});
  client.ask("GET", "/auth/me?api_key=" + key + "&key=" + key);
  client.ask("GET", "/auth/me", "", {{"X-API-Key", kListedKey}});
  client.ask(
      "GET", "/auth/me", "", {{"X-API-Key", kListedKey}, {"Authorization", "Bearer " + local_key}});
  client.ask("GET", "/admin/apikeys", "", local);
  client.ask("GET", "/admin/audit", "", local);
  const std::string pixel = client.ask("POST",
                                       "/pixel/generate",
                                       R"({"campaignId":"c1","emailId":"e1","recipientId":"u-1"})",
                                       local);
  const std::string url = member(pixel, "/pixelUrl");
  const std::string token = url.substr(url.rfind('/') + 1);
  hunt.plant("pixel token", token);
  client.ask("GET", "/pixel/track/" + token);
  client.ask("GET", "/pixel/track/" + token + "x");
  client.ask("POST", "/track/event", R"({"type":"track","event":"Tested","userId":"u-1"})", local);
}

}  // namespace

TEST_CASE("planted secrets turn up nowhere that a daemon speaks", "[integration][threat-37]") {
  const Receiver receiver;
  DaemonProcess daemon(
      "[auth]\nregistration = \"open\"\n"
      "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n"
      "[[destinations]]\nname = \"hook\"\ntype = \"webhook\"\nsecret = \"HOOK\"\nurl = \"" +
      receiver.url("/") + "\"\n");
  const Sandbox sandbox;
  REQUIRE(sandbox.edgectl({"key", "generate", "--kind", "pixel", "--ring", "pixel.json"}).exit ==
          0);
  const std::string ring = sandbox.read("pixel.json");
  const std::string hook = "whsec_" + edge::encoding::base64_encode(kHookOctets);
  const std::map<std::string, std::string> variables = {{"JWT_SECRET", kJwtSecret},
                                                        {"API_KEYS", kListedKey},
                                                        {"EDGE_SECRET_HOOK", hook},
                                                        {"EDGE_PIXEL_KEYS", ring}};
  Hunt hunt;
  hunt.plant("JWT_SECRET", kJwtSecret);
  hunt.plant("API_KEYS", kListedKey);
  hunt.plant("webhook secret", hook.substr(6));
  hunt.plant("octets of the webhook secret", kHookOctets);
  hunt.plant("pixel key", member(ring, "/keys/1"));
  hunt.plant("password", kPassword);
  hunt.plant("other password", kOtherPassword);

  REQUIRE(daemon.start({"--log-level", "debug"}, variables));
  const std::string local_key = key_of(daemon);
  hunt.plant("local key", local_key);
  Client client(daemon.url());
  lead_through_accounts(client, hunt);
  lead_through_keys(client, hunt, local_key);
  CHECK(receiver.wait_for(1));
  const std::string metrics =
      client.ask("GET", "/metrics", "", {{"Authorization", "Bearer " + local_key}});
  const std::string process = "/proc/" + std::to_string(daemon.pid());

  CHECK(client.refusals().size() > 1000);
  hunt.look_in("answers that refuse", client.refusals());
  CHECK(metrics.find("edge_http_requests_total") != std::string::npos);
  hunt.look_in("/metrics", metrics);
  CHECK(file_text(process + "/cmdline").find("--log-level") != std::string::npos);
  hunt.look_in("arguments", file_text(process + "/cmdline"));
  hunt.look_in("environment", file_text(process + "/environ"));
  CHECK(daemon.stop(SIGTERM) == 0);
  CHECK(daemon.log().find("/auth/login") != std::string::npos);
  hunt.look_in("log", daemon.log());
}

TEST_CASE("commands that show settings or trace requests mask the secrets", "[integration]") {
  const Sandbox sandbox;
  const std::map<std::string, std::string> variables = {
      {"JWT_SECRET", kJwtSecret}, {"API_KEYS", kListedKey}, {"EDGE_SECRET_HOOK", kHookOctets}};
  Hunt hunt;
  hunt.plant("JWT_SECRET", kJwtSecret);
  hunt.plant("API_KEYS", kListedKey);
  hunt.plant("EDGE_SECRET_HOOK", kHookOctets);
  DaemonProcess daemon("");
  REQUIRE(daemon.start({}, variables));
  sandbox.write("token", daemon.key());
  hunt.plant("local key", key_of(daemon));

  const auto config = sandbox.edgectl({"config", "show", "--origin"}, {.env = variables});
  const auto secrets = sandbox.edgectl({"secret", "list"}, {.env = variables});
  const auto trace = sandbox.edgectl(
      {"user", "list", "-vv", "--url", daemon.url(), "--token-file", "token"}, {.env = variables});
  const auto refused =
      sandbox.edgectl({"user", "list", "-vv", "--url", daemon.url()}, {.env = variables});

  CHECK(config.out.find("(set: env)") != std::string::npos);
  CHECK(trace.exit == 0);
  CHECK(trace.err.find("/admin/users") != std::string::npos);
  CHECK(refused.exit == 4);
  for (const auto& shown : {config, secrets, trace, refused}) {
    hunt.look_in("stdout", shown.out);
    hunt.look_in("stderr", shown.err);
  }
}

TEST_CASE("a daemon refuses secrets that are weak, or in files that others can read",
          "[integration][threat-14][threat-40]") {
  DaemonProcess daemon("");
  std::ofstream(daemon.path("secret")) << kJwtSecret;
  std::ofstream(daemon.path("env")) << "JWT_SECRET=" << kJwtSecret << "\n";

  for (const char* weak : {"changeme", "development-secret-key-change-in-production", "short"}) {
    CHECK_FALSE(daemon.start({}, {{"JWT_SECRET", weak}}));
  }
  CHECK_FALSE(daemon.start({}, {{"JWT_SECRET_FILE", daemon.path("secret")}}));
  CHECK_FALSE(daemon.start({"--env-file", daemon.path("env")}));
  CHECK(daemon.log().find("chmod 600") != std::string::npos);
  std::filesystem::permissions(daemon.path("env"), std::filesystem::perms::owner_read);
  CHECK(daemon.start({"--env-file", daemon.path("env")}));
  CHECK(daemon.stop(SIGTERM) == 0);
  CHECK(daemon.log().find(kJwtSecret) == std::string::npos);
}
