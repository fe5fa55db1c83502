// SPDX-License-Identifier: MIT
#include "daemon/server_config.h"

#include <catch2/catch.hpp>
#include <string>

namespace edge {
namespace {

std::string problem_of(const config::Config& config) {
  const auto read = read_server_config(config);
  return read ? std::string() : read.error().field + ": " + read.error().message;
}

config::Config with_listener(std::string json) {
  config::Config config;
  config.listeners.push_back({std::move(json), "edge.toml:9"});
  return config;
}

config::Config with_cors(std::string json) {
  config::Config config;
  config.cors.push_back({std::move(json), "edge.toml:9"});
  return config;
}

}  // namespace

TEST_CASE("without settings one listener carries everything in clear", "[daemon]") {
  const auto read = read_server_config({});

  REQUIRE(read);
  REQUIRE(read->listeners.size() == 1);
  CHECK(read->listeners.front().endpoint.text() == "127.0.0.1:9100");
  CHECK(read->listeners.front().carried.is_everything());
  CHECK_FALSE(read->listeners.front().tls);
  CHECK(read->limits.connections == 4096);
  CHECK(read->limits.head_time == std::chrono::seconds(10));
}

TEST_CASE("with a certificate TCP speaks TLS unless a listener says no", "[daemon]") {
  config::Config config =
      with_listener(R"({"address":"127.0.0.1:9101","surfaces":["metrics"],"tls":false})");
  config.server.listen.emplace_back("unix:/run/e.sock");
  config.server.tls = {.certificate = "a.crt", .key = "a.key"};

  const auto read = read_server_config(config);

  REQUIRE(read);
  REQUIRE(read->listeners.size() == 3);
  CHECK(read->listeners[0].tls);
  CHECK_FALSE(read->listeners[1].tls);
  CHECK_FALSE(read->listeners[2].tls);
  CHECK_FALSE(read->listeners[2].carried.is_everything());
}

TEST_CASE("listeners that make no sense are named with their place", "[daemon]") {
  const auto [json, named] = GENERATE(table<std::string, std::string>({
      {R"({})", "edge.toml:9: listener address is missing"},
      {R"({"address":7})", "listener address has the wrong type"},
      {R"({"address":"127.0.0.1:1","port":2})", "listener port is no setting of a listener"},
      {R"({"address":"127.0.0.1:1","surfaces":[1]})", "listener surfaces must be a list of texts"},
      {R"({"address":"127.0.0.1:1","surfaces":["metrix"]})", "\"metrix\" is no surface"},
      {R"({"address":"example.com:1"})", "\"example.com:1\" is no address"},
      {R"({"address":"127.0.0.1:1","tls":true})", "tls needs server.tls.certificate"},
  }));

  INFO(json);
  CHECK(problem_of(with_listener(json)).find(named) != std::string::npos);
}

TEST_CASE("a certificate without its key is refused, as is nowhere to listen", "[daemon]") {
  config::Config half;
  half.server.tls.certificate = "a.crt";
  config::Config nowhere;
  nowhere.server.listen.clear();

  CHECK(problem_of(half).find("server.tls.key: ") == 0);
  CHECK(problem_of(nowhere).find("server.listen: ") == 0);
}

TEST_CASE("limits below one are refused by name", "[daemon]") {
  config::Config connections;
  connections.server.limits.connections = 0;
  config::Config time;
  time.server.limits.head_time = std::chrono::milliseconds(-1);
  config::Config drain;
  drain.server.limits.drain = std::chrono::milliseconds(0);

  CHECK(problem_of(connections).find("server.limits.connections: ") == 0);
  CHECK(problem_of(time).find("server.limits.head_time: ") == 0);
  CHECK(problem_of(drain).empty());
}

TEST_CASE("a CORS table is read whole", "[daemon]") {
  const auto read = read_server_config(
      with_cors(R"({"routes":["/api/*"],"origins":["https://a.example"],"credentials":true,)"
                R"("methods":["GET"],"headers":["X-A"],"expose":["X-B"],"max_age":5})"));

  REQUIRE(read);
  const CorsRule& rule = read->cors.front();
  CHECK(rule.names("/api/kv/:namespace"));
  CHECK_FALSE(rule.names("/cdp/profile"));
  CHECK(rule.origins == std::vector<std::string>{"https://a.example"});
  CHECK(rule.credentials);
  CHECK(rule.max_age == 5);
}

TEST_CASE("[threat-28] CORS tables that give everything away are refused by place",
          "[daemon][threat-28]") {
  const auto [json, named] = GENERATE(table<std::string, std::string>({
      {R"({"origins":["*"],"credentials":true})", "edge.toml:9: cors origins \"*\""},
      {R"({"origins":["null"]})", "\"null\" is no origin"},
      {R"({"origins":["https://*"]})", "\"https://*\" is no origin"},
      {R"({"origins":"https://a.example"})", "cors origins must be a list"},
      {R"({"max_age":90000})", "cors max_age must be 0 to 86400"},
      {R"({"expose":["X-A\r\nX-B"]})", "cors expose must be a list of texts"},
      {R"({"origin":[]})", "cors origin is no setting"},
  }));

  INFO(json);
  CHECK(problem_of(with_cors(json)).find(named) != std::string::npos);
}

}  // namespace edge
