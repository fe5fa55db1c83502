// SPDX-License-Identifier: MIT
#include "core/config/load.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "core/config/keys.h"
#include "tests/support/fakes.h"

using namespace edge;

namespace {

/// A directory with an `edge.toml` and an environment of its own.
struct World {
  test::TempDir directory;
  std::map<std::string, std::string> variables = {};

  explicit World(const std::string& text) {
    std::ofstream(directory / "edge.toml") << text;
    std::ofstream(directory / ".git") << "";
  }

  [[nodiscard]] Result<config::Loaded> load(config::Sources sources = {}) const {
    sources.working_directory = directory.path();
    sources.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return config::load(sources);
  }
};

std::string message(const Result<config::Loaded>& loaded) {
  return loaded ? std::string("loaded") : loaded.error().message;
}

}  // namespace

TEST_CASE("settings without a file are the defaults", "[config]") {
  const World world("");

  const auto loaded = world.load({.file = "none"});

  REQUIRE(loaded);
  CHECK(loaded->config.file.empty());
  CHECK(loaded->config.server.listen == std::vector<std::string>{"127.0.0.1:9100"});
  CHECK(loaded->origins.at("server.listen").text() == "default");
}

TEST_CASE("each source of settings gives way to the next", "[config]") {
  World world(R"(
[auth]
issuer = "file"
audience = "file"
access_ttl = "5m"
mode = "demo"
[env.staging.auth]
audience = "overlay"
access_ttl = "6m"
mode = "enforced"
)");
  world.variables = {
      {"EDGE_AUTH_ACCESS_TTL", "7m"}, {"EDGE_AUTH_MODE", "demo"}, {"EDGE_ENV", "staging"}};

  const auto loaded = world.load({.flags = {{"auth.mode", "enforced"}}});

  REQUIRE(loaded);
  CHECK(loaded->config.auth.issuer == "file");
  CHECK(loaded->config.auth.audience == "overlay");
  CHECK(loaded->config.auth.access_ttl == std::chrono::minutes(7));
  CHECK(loaded->config.auth.mode == "enforced");
  CHECK(loaded->config.store.durability == "full");
  CHECK(loaded->origins.at("auth.audience").from == config::Origin::From::Overlay);
  CHECK(loaded->origins.at("auth.access_ttl").text() == "variable EDGE_AUTH_ACCESS_TTL");
  CHECK(loaded->origins.at("auth.mode").text() == "flag");
  CHECK(loaded->origins.at("auth.issuer").text() ==
        "file " + (world.directory / "edge.toml") + ":3");
}

TEST_CASE("a wrong configuration is refused with its place", "[config]") {
  const auto [text, expected] = GENERATE(table<std::string, std::string>({
      {"[server]\nlisen = []\n", ":2:1: unknown key 'server.lisen', did you mean 'server.listen'?"},
      {"[sever]\nlisten = []\n", ":1:2: unknown key 'sever', did you mean 'server'?"},
      {"[server]\nlisten = \"x\"\n", ":2:1: 'server.listen' must be a list of texts"},
      {"server = 1\n", ":1:1: 'server' is a table"},
      {"[outbound]\nallow_http = \"yes\"\n", ":2:1: 'outbound.allow_http' must be true or false"},
      {"[auth]\naccess_ttl = \"soon\"\n", "auth.access_ttl: 'soon' is not a duration"},
      {"[store]\ndurability = \"half\"\n", "store.durability: 'half' is not one of full, normal"},
      {"[env.x.server]\nlisen = []\n", ":2:1: unknown key 'server.lisen'"},
      {"destinations = 3\n", "'destinations' is a list of tables: [[destinations]]"},
      {"[server\n", ":1:"},
  }));
  const World world(text);

  const auto loaded = world.load();

  INFO(message(loaded));
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == ErrorCode::InvalidArgument);
  CHECK(loaded.error().message.find(expected) != std::string::npos);
}

TEST_CASE("an overlay that the file does not have is refused", "[config]") {
  const World world("[auth]\nissuer = \"a\"\n");

  const auto loaded = world.load({.overlay = "production"});

  CHECK(message(loaded).find("no overlay [env.production]") == 0);
}

TEST_CASE("an overlay can be marked as protected", "[config]") {
  const World world("[env.production]\nprotected = true\n[env.dev.auth]\nmode = \"demo\"\n");

  const auto chosen = world.load({.overlay = "production"});
  const auto other = world.load({.overlay = "dev"});

  REQUIRE(chosen);
  REQUIRE(other);
  CHECK(chosen->config.is_protected);
  CHECK_FALSE(other->config.is_protected);
  CHECK(chosen->overlays == std::vector<std::string>{"production", "dev"});
}

TEST_CASE("lists of tables arrive as JSON with their line", "[config]") {
  const World world(
      "[[destinations]]\nname = \"hook\"\nenabled = true\nretry.baseMs = "
      "50\n\n[[destinations]]\nname = \"two\"\n");

  const auto loaded = world.load();

  REQUIRE(loaded);
  REQUIRE(loaded->config.destinations.size() == 2);
  CHECK(loaded->config.destinations[0].json ==
        R"({"name":"hook","enabled":true,"retry":{"baseMs":50}})");
  CHECK(loaded->config.destinations[1].where == (world.directory / "edge.toml") + ":6");
}

TEST_CASE("the pixel base URL follows the public URL until it is set", "[config]") {
  const World follows("[server]\npublic_url = \"https://t.example.com\"\n");
  const World set(
      "[server]\npublic_url = \"https://t.example.com\"\n[pixel]\nbase_url = "
      "\"https://p.example.com\"\n");

  CHECK(follows.load()->config.pixel.base_url == "https://t.example.com");
  CHECK(set.load()->config.pixel.base_url == "https://p.example.com");
}

TEST_CASE("the file written for a new installation holds every key with its default", "[config]") {
  const World world(config::sample_file());

  const auto loaded = world.load();

  INFO(message(loaded));
  REQUIRE(loaded);
  for (const config::Key& key : config::keys()) {
    const std::string value = config::value_text(key, config::Config{});
    INFO(key.name);
    CHECK(config::value_text(key, loaded->config) == value);
    const bool in_file =
        loaded->origins.at(std::string(key.name)).from == config::Origin::From::File;
    CHECK(in_file == !value.empty());
  }
}

TEST_CASE("setting one key leaves everything else of the file alone", "[config]") {
  const std::string text =
      "# mine\n[server]\nlisten = [\"a:1\"]   # here\n\n[auth]\nissuer = \"ü\"\n";

  CHECK(*config::with_key(text, "server.listen", "b:2,c:3") ==
        "# mine\n[server]\nlisten = [\"b:2\", \"c:3\"]   # here\n\n[auth]\nissuer = \"ü\"\n");
  CHECK(
      *config::with_key(text, "auth.mode", "demo") ==
      "# mine\n[server]\nlisten = [\"a:1\"]   # here\n\n[auth]\nmode = \"demo\"\nissuer = \"ü\"\n");
  CHECK(*config::with_key(text, "outbound.allow_http", "true") ==
        text + "\n[outbound]\nallow_http = true\n");
  CHECK_FALSE(config::with_key(text, "auth.mod", "demo"));
  CHECK_FALSE(config::with_key(text, "auth.mode", "half"));
}

TEST_CASE("a key can be set when the header of its table is the last line", "[config]") {
  CHECK(*config::with_key("[auth]", "auth.mode", "demo") == "[auth]\nmode = \"demo\"\n");
  CHECK(*config::with_key("[auth]\n", "auth.mode", "demo") == "[auth]\nmode = \"demo\"\n");

  const auto inlined = config::with_key("auth = {}\n", "auth.mode", "demo");

  REQUIRE_FALSE(inlined);
  CHECK(inlined.error().message.find("no [auth] table") != std::string::npos);
}

TEST_CASE("letters outside of quotes are refused with their place", "[config]") {
  for (const std::string letter : {"\u00e9", "\ufedf", "\u3001"}) {
    const auto wrong = config::with_key("[server]\n" + letter + " = 1\n", "auth.mode", "demo");
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().message.find(":2:1: ") != std::string::npos);
    CHECK(config::with_key(
        "# " + letter + "\n[auth]\nissuer = \"" + letter + "\"\n", "auth.mode", "demo"));
  }
}

TEST_CASE("durations of settings read back as they are written", "[config]") {
  const auto [text, ms, shown] =
      GENERATE(table<std::string, std::int64_t, std::string>({{"500ms", 500, "500ms"},
                                                              {"15m", 900'000, "15m"},
                                                              {"1h30m", 5'400'000, "90m"},
                                                              {"7d", 604'800'000, "7d"}}));

  const auto span = config::parse_span(text);

  REQUIRE(span);
  CHECK(span->count() == ms);
  CHECK(config::span_text(*span) == shown);
  CHECK_FALSE(config::parse_span(""));
  CHECK_FALSE(config::parse_span("5"));
  CHECK_FALSE(config::parse_span("-5m"));
}
