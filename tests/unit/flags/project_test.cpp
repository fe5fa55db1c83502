// SPDX-License-Identifier: MIT
#include "core/flags/project.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/flags/flags.h"
#include "core/transport/open.h"
#include "tests/support/fakes.h"
#include "tests/support/receiver.h"
#include "tests/support/scripted_http.h"

namespace edge::flags {
namespace {

using test::Reaction;
using test::Received;
using test::Receiver;

std::string datafile(int revision) {
  return fmt::format(
      R"({{"version":"4","revision":"{}","projectId":"77","featureFlags":[],"experiments":[]}})",
      revision);
}

void write_file(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// One project at a URL of a server that a test scripts.
struct Fetching {
  explicit Fetching(Receiver::Behaviour behaviour)
      : server(std::move(behaviour)), http(transport::open_client(rules(), clock)) {}

  static transport::GuardRules rules() {
    transport::GuardRules out;
    out.add_loopback();
    return out;
  }
  Project project() {
    return Project({.sdk_key = "KEY", .place = server.url("/KEY.json"), .is_url = true},
                   http.get(),
                   clock,
                   DatafileCache(folder.path() / "cache"));
  }

  test::TempDir folder;
  SystemClock clock;
  Receiver server;
  std::unique_ptr<transport::HttpClient> http;
};

Reaction with_etag(std::string body, const std::string& etag) {
  return {.body = std::move(body), .fields = "ETag: " + etag + "\r\n"};
}

}  // namespace

TEST_CASE("a file that cannot be used leaves the datafile in force and says why", "[flags]") {
  const test::TempDir folder;
  const test::FakeClock clock;
  Project project({.place = folder / "flags.json"}, nullptr, clock, DatafileCache({}));
  write_file(folder / "flags.json", datafile(7));
  REQUIRE(project.refresh() == Result<bool>(true));
  write_file(folder / "flags.json", "{}");

  const auto failed = project.refresh();

  REQUIRE_FALSE(failed);
  CHECK(failed.error().reason == "invalid_datafile");
  CHECK(failed.error().field == "/version");
  CHECK(project.datafile()->revision == "7");
  CHECK(project.status().problem == failed.error().message);
  CHECK(project.status().failures == 1);
  write_file(folder / "flags.json", datafile(8));
  CHECK(project.refresh() == Result<bool>(true));
  CHECK(project.status().problem.empty());
  CHECK(project.status().revision == "8");
}

TEST_CASE("a file that is not there is not found", "[flags]") {
  const test::TempDir folder;
  const test::FakeClock clock;
  Project project({.place = folder / "none.json"}, nullptr, clock, DatafileCache({}));

  const auto failed = project.refresh();

  CHECK(failed.error().code == ErrorCode::NotFound);
  CHECK(project.datafile() == nullptr);
}

TEST_CASE("a file looks changed when it was written or replaced", "[flags]") {
  const test::TempDir folder;
  const test::FakeClock clock;
  Project project({.place = folder / "flags.json"}, nullptr, clock, DatafileCache({}));
  write_file(folder / "flags.json", datafile(1));
  REQUIRE(project.refresh());
  CHECK_FALSE(project.looks_changed());

  write_file(folder / "other.json", datafile(2));
  std::filesystem::rename(folder / "other.json", folder / "flags.json");

  CHECK(project.looks_changed());
  CHECK(project.refresh() == Result<bool>(true));
  CHECK_FALSE(project.looks_changed());
}

TEST_CASE("a given datafile replaces the file, an invalid one changes nothing", "[flags]") {
  const test::TempDir folder;
  const test::FakeClock clock;
  Project project({.place = folder / "flags.json"}, nullptr, clock, DatafileCache({}));
  write_file(folder / "flags.json", datafile(1));
  std::filesystem::permissions(folder / "flags.json", std::filesystem::perms(0640));
  REQUIRE(project.refresh());

  const auto refused = project.replace(R"({"version":4})");
  CHECK(refused.error().reason == "invalid_datafile");
  CHECK(project.datafile()->revision == "1");
  CHECK(project.replace(datafile(2)) == Result<bool>(true));

  CHECK(project.datafile()->revision == "2");
  CHECK_FALSE(project.looks_changed());
  CHECK(std::filesystem::status(folder / "flags.json").permissions() ==
        std::filesystem::perms(0640));
  Project fetched({.place = "https://x/y", .is_url = true}, nullptr, clock, DatafileCache({}));
  CHECK(fetched.replace(datafile(2)).error().code == ErrorCode::Conflict);
}

TEST_CASE("a URL is asked with its ETag, and 304 changes nothing", "[flags]") {
  Fetching test([](const Received& request) {
    return request.header("if-none-match") == "\"a\"" ? Reaction{.status = 304}
                                                      : with_etag(datafile(5), "\"a\"");
  });
  Project project = test.project();

  CHECK(project.refresh() == Result<bool>(true));
  CHECK(project.refresh() == Result<bool>(false));

  CHECK(project.datafile()->revision == "5");
  CHECK(test.server.requests().at(1).header("if-none-match") == "\"a\"");
  CHECK(project.status().failures == 0);
}

TEST_CASE("what a server does wrong leaves the datafile in force", "[flags]") {
  struct Case {
    Reaction reaction;
    ErrorCode code;
    std::string_view reason;
  };
  const auto one = GENERATE(
      values<Case>({{Reaction::fail(403), ErrorCode::PermissionDenied, "datafile_forbidden"},
                    {Reaction::fail(500), ErrorCode::Unavailable, "bad_status"},
                    {Reaction{.body = "<html>"}, ErrorCode::InvalidArgument, "invalid_datafile"},
                    {Reaction{.body = "{}"}, ErrorCode::InvalidArgument, "invalid_datafile"},
                    {Reaction::cut(), ErrorCode::Unavailable, "connection_lost"},
                    {Reaction::hang(), ErrorCode::DeadlineExceeded, "timeout"}}));
  Fetching test([](const Received&) { return with_etag(datafile(5), "\"a\""); });
  Project project = test.project();
  REQUIRE(project.refresh());
  test.server.behave([&](const Received&) { return one.reaction; });

  const auto failed = project.refresh(std::chrono::milliseconds(300));

  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == one.code);
  CHECK(failed.error().reason == one.reason);
  CHECK(project.datafile()->revision == "5");
  CHECK(project.status().is_forbidden == (one.code == ErrorCode::PermissionDenied));
  CHECK_FALSE(project.status().problem.empty());
}

TEST_CASE("a start without network has the datafile that was fetched last", "[flags]") {
  Fetching test([](const Received&) { return with_etag(datafile(5), "\"a\""); });
  REQUIRE(test.project().refresh());
  test.server.behave([](const Received& request) {
    return request.header("if-none-match") == "\"a\"" ? Reaction{.status = 304}
                                                      : Reaction::fail(500);
  });

  Project next = test.project();
  next.load_cached();

  REQUIRE(next.datafile() != nullptr);
  CHECK(next.datafile()->revision == "5");
  CHECK(next.status().is_from_cache);
  CHECK(next.refresh() == Result<bool>(false));
  CHECK_FALSE(next.status().is_from_cache);
}

TEST_CASE("a damaged cache counts as absent", "[flags]") {
  const test::TempDir folder;
  const DatafileCache cache(folder.path());
  REQUIRE(cache.put("https://a", {.text = "one\ntwo", .etag = "\"e\""}));
  CHECK(cache.find("https://a") == FetchedDatafile{.text = "one\ntwo", .etag = "\"e\""});
  CHECK_FALSE(cache.find("https://b"));

  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    write_file(file.path().string(), "{\"url\":\"https://other\"}\nx");
  }

  CHECK_FALSE(cache.find("https://a"));
}

TEST_CASE("listeners hear of a new datafile", "[flags]") {
  const test::TempDir folder;
  const test::FakeClock clock;
  Project project({.place = folder / "flags.json"}, nullptr, clock, DatafileCache({}));
  write_file(folder / "flags.json", datafile(1));
  REQUIRE(project.refresh());
  std::vector<std::string> heard;
  project.notifications.listen(Topics().add(Topic::ConfigUpdate), [&](const std::string& text) {
    heard.push_back(text);
    return heard.size() < 2;
  });
  CHECK(project.notifications.is_heard(Topic::ConfigUpdate));
  CHECK_FALSE(project.notifications.is_heard(Topic::Decision));

  for (int revision = 2; revision < 5; ++revision) {
    write_file(folder / "flags.json", datafile(revision));
    REQUIRE(project.refresh());
  }

  CHECK(heard == std::vector<std::string>{R"({"Type":"project_config_update","Revision":"2"})",
                                          R"({"Type":"project_config_update","Revision":"3"})"});
  CHECK_FALSE(project.notifications.is_heard(Topic::ConfigUpdate));
}

TEST_CASE("datafiles are fetched when they are due and when somebody asks", "[flags]") {
  test::FakeClock clock;
  test::ScriptedHttp http;
  http.follow([](const transport::OutgoingRequest& request) {
    return transport::IncomingResponse{.status = 200,
                                       .body = datafile(request.url.ends_with("A.json") ? 1 : 2)};
  });
  Flags flags(clock, &http);
  REQUIRE(flags.open({.projects = {{.sdk_key = "A", .place = "https://h/A.json", .is_url = true},
                                   {.sdk_key = "B", .place = "https://h/B.json", .is_url = true}},
                      .any_key = false,
                      .interval = std::chrono::minutes(1)}));
  const auto fetched = [&](std::string_view url) {
    return std::ranges::count(http.requests(), url, &transport::OutgoingRequest::url);
  };
  const auto wait_until = [](const auto& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < until) {
      std::this_thread::yield();
    }
    return condition();
  };
  const std::jthread loop([&](const std::stop_token& stop) { flags.fetch(stop); });

  CHECK(wait_until([&] { return http.requests().size() == 2; }));
  flags.refresh_soon(*flags.find("B"));
  CHECK(wait_until([&] { return http.requests().size() == 3; }));
  CHECK(http.requests().at(2).url == "https://h/B.json");
  // When the next look is due is known only after this one, which may not be over yet.
  CHECK(wait_until([&] {
    clock.advance(std::chrono::seconds(61));
    return fetched("https://h/A.json") >= 2 && fetched("https://h/B.json") >= 3;
  }));

  CHECK(flags.find("A")->datafile()->revision == "1");
  CHECK(flags.find("B")->datafile()->revision == "2");
  CHECK(flags.find("C") == nullptr);
  CHECK(flags.find("") == flags.find("A"));
}

TEST_CASE("settings name the projects", "[flags]") {
  const config::Secrets none({.environment = [](const std::string&) { return std::nullopt; }});
  const config::Secrets with_key({.environment = [](const std::string& name) {
    return name == "OPTIMIZELY_SDK_KEY" ? std::optional<std::string>("FromSecret") : std::nullopt;
  }});
  config::Config config;
  config.file = "/etc/x/edge.toml";

  const auto plain = read_settings(config, none);
  REQUIRE(plain);
  CHECK(plain->projects.at(0).place == "/etc/x/flags.json");
  CHECK(plain->projects.at(0).may_be_missing);
  CHECK(plain->any_key);
  const auto secret = read_settings(config, with_key);
  REQUIRE(secret);
  CHECK(secret->projects.at(0).place == "https://cdn.optimizely.com/datafiles/FromSecret.json");
  CHECK(secret->projects.at(0).is_url);
  CHECK_FALSE(secret->any_key);
  config.flags.datafile = "own.json";
  config.flags.sdk_key = "K1";
  config.projects = {{.json = R"({"sdk_key":"K2"})", .where = "edge.toml:3"},
                     {.json = R"({"sdk_key":"K3","datafile":"https://h/x"})"}};
  config.flag_webhooks = {{.json = R"({"project":77,"secret":"HOOK"})"}};
  const auto several = read_settings(config, none);
  REQUIRE(several);
  CHECK(several->projects.at(0).place == "/etc/x/own.json");
  CHECK(several->projects.at(1).place == "https://cdn.optimizely.com/datafiles/K2.json");
  CHECK(several->projects.at(2).place == "https://h/x");
  CHECK(several->webhooks.at(0).project == 77);
}

TEST_CASE("wrong settings of flags are told by name", "[flags]") {
  const config::Secrets none({.environment = [](const std::string&) { return std::nullopt; }});
  config::Config config;
  const auto problem = [&] {
    const auto settings = read_settings(config, none);
    return settings ? std::string("none")
                    : settings.error().field + ": " + settings.error().message;
  };
  const std::string where = "edge.toml:3";

  config.flags.url = "https://h/datafile.json";
  CHECK(problem() == "flags.url: flags.url must be a URL that holds %s once");
  config = {};
  config.flags.sdk_key = "a b";
  CHECK(problem().starts_with("flags.sdk_key: "));
  config = {};
  config.projects = {{.json = R"({"key":"K"})", .where = where}};
  CHECK(problem() ==
        "flags.projects: edge.toml:3: unknown key 'key' in [[flags.projects]], there are sdk_key, "
        "datafile");
  config.projects = {{.json = R"({"sdk_key":"K-"})", .where = where}};
  CHECK(problem().starts_with("flags.projects: edge.toml:3: sdk_key must be"));
  config.projects = {{.json = R"({"sdk_key":"K"})"}, {.json = R"({"sdk_key":"K"})"}};
  CHECK(problem() == "flags.projects: SDK key K is configured twice");
  config = {};
  config.flag_webhooks = {{.json = R"({"project":"77"})", .where = where}};
  CHECK(problem().starts_with("flags.webhooks: edge.toml:3: project must be"));
  config.flag_webhooks = {{.json = R"({"project":77})", .where = where}};
  CHECK(problem().find("unsigned = true") != std::string::npos);
}

TEST_CASE("a configured file that cannot be used stops the start, a missing default does not",
          "[flags]") {
  const test::TempDir folder;
  const test::FakeClock clock;
  Flags flags(clock);
  write_file(folder / "bad.json", "{");

  CHECK(flags.open({.projects = {{.place = folder / "none.json", .may_be_missing = true}}}));
  const auto missing = flags.open({.projects = {{.place = folder / "none.json"}}});
  const auto bad = flags.open({.projects = {{.place = folder / "bad.json"}}});

  CHECK(missing.error().field == "flags.datafile");
  CHECK(bad.error().message.find("bad.json") != std::string::npos);
  CHECK(bad.error().reason == "invalid_datafile");
}

}  // namespace edge::flags
