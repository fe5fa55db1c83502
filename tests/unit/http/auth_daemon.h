// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokens/roles.h"
#include "daemon/authenticator.h"
#include "daemon/server.h"
#include "tests/support/memory_store.h"
#include "tests/unit/http/fixture.h"

namespace edge::test {

inline const std::string kPassword = "correct horse battery";

/// Nobody is reached from here.
class NoClient final : public transport::HttpClient {
 public:
  Result<transport::IncomingResponse> send(const transport::OutgoingRequest& /*request*/) override {
    return Failure({ErrorCode::Unavailable, "no network in this test"});
  }
};

/// Lets a test say who it is: the bearer token is a role, the API key a list of scopes.
class Claimed final : public http::Authenticator {
 public:
  Result<http::Principal> authenticate(const http::Credentials& credentials) override {
    http::Principal principal{.id = "someone"};
    if (!credentials.bearer.empty()) {
      principal.roles = {std::string(credentials.bearer)};
      principal.permissions = tokens::permissions_of(principal.roles);
      return principal;
    }
    principal.kind = http::Principal::Kind::ApiKey;
    std::vector<std::string> scopes;
    for (std::string_view rest = credentials.api_key; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      scopes.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    principal.permissions = tokens::service_permissions(scopes);
    return principal;
  }
};

/// A whole daemon on a store in memory, and a client for it.
struct AuthDaemon {
  struct Options {
    bool demo = false;
    bool real = true;  ///< false: clients say who they are, see `Claimed`
    std::vector<config::Item> issuers = {};
  };

  TempDir dir;
  FakeClock clock;
  SystemRandom random;
  Log log{{.level = Log::Level::Off}, clock};
  std::unique_ptr<Edge> edge;
  std::unique_ptr<EdgeAuthenticator> authenticator;
  Claimed claimed;
  std::unique_ptr<Server> server;

  AuthDaemon() : AuthDaemon(Options{}) {}
  explicit AuthDaemon(const Options& options) {
    config::Config config;
    config.server.listen = {"127.0.0.1:0"};
    config.data_dir = dir.path();
    config.auth.mode = options.demo ? "demo" : "enforced";
    config.issuers = options.issuers;
    config::SecretSources sources{
        .environment = [](const std::string& name) -> std::optional<std::string> {
          return name == "API_KEYS"
                     ? std::optional<std::string>("a-key-of-16-chars, other-key-of-16-chars")
                     : std::nullopt;
        }};
    auto built = Edge::build({.config = std::move(config),
                              .secrets = config::Secrets(std::move(sources)),
                              .store = std::make_unique<MemoryStore>(clock),
                              .http = std::make_unique<NoClient>()},
                             clock,
                             random);
    REQUIRE(built);
    edge = std::move(*built);
    auto opened = EdgeAuthenticator::open(*edge);
    REQUIRE(opened);
    authenticator = std::move(*opened);
    http::Authenticator* chosen = &claimed;
    auto started = Server::start(
        *edge, log, {.loops = 1, .authenticator = options.real ? authenticator.get() : chosen});
    REQUIRE(started);
    server = std::move(*started);
  }

  [[nodiscard]] Answer ask(std::string_view method,
                           std::string_view path,
                           std::string_view fields,
                           std::string_view body = {}) const {
    RawClient client(server->endpoints().front());
    const std::string length =
        body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size());
    client.send(fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\n{}{}\r\n{}", method, path, fields, length, body));
    return client.next();
  }
  [[nodiscard]] Answer post(std::string_view path,
                            std::string_view body,
                            std::string_view token = {}) const {
    const std::string bearer =
        token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", token);
    return ask("POST", path, "Content-Type: application/json\r\n" + bearer, body);
  }
  [[nodiscard]] Answer get(std::string_view path, std::string_view token) const {
    return ask("GET", path, fmt::format("Authorization: Bearer {}\r\n", token));
  }
  [[nodiscard]] Answer login(const std::string& email = "ada@example.com",
                             const std::string& password = kPassword) const {
    return post("/auth/login", fmt::format(R"({{"email":"{}","password":"{}"}})", email, password));
  }
  void add_ada() const {
    REQUIRE(edge->login.create(
        {.email = "ada@example.com", .password = kPassword, .name = "Ada", .roles = {"editor"}}));
  }
};

/// A member of a JSON answer as text, `(none)` when it is not there.
inline std::string member(const Answer& answer, std::string_view pointer) {
  const auto document = json::Document::parse(answer.body, json::kStrict);
  const auto value = document ? document->root().at_pointer(pointer) : std::nullopt;
  return value ? std::string(value->as_string().value_or(value->raw())) : "(none)";
}

}  // namespace edge::test
