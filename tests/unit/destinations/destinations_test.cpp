// SPDX-License-Identifier: MIT
#include "core/destinations/destinations.h"

#include <catch2/catch.hpp>

#include "core/destinations/webhook_endpoint.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace edge::destinations {
namespace {

const Catalogue& catalogue() {
  static const Catalogue all;
  return all;
}

Result<Definition> definition_of(std::string_view text, Definition base = {}) {
  const auto document = json::Document::parse(text, json::kEvent);
  return read_definition(document->root(), catalogue(), std::move(base));
}

Definition hook(const std::string& id) {
  return *definition_of(R"({"id":")" + id +
                        R"(","name":"Hook","type":"webhook","url":"https://h/"})");
}

struct Bench {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  Destinations destinations{store, catalogue(), {}, {}};

  void append_event(const std::string& id) {
    storage::Batch batch;
    batch.appends.push_back(
        {.stream = kStream, .records = {{.source = "t", .id = id, .body = "{}"}}});
    REQUIRE(store.commit(std::move(batch), storage::Deadline::in(std::chrono::seconds(1))));
  }
};

TEST_CASE("a definition reads what it wrote", "[destinations]") {
  const auto definition = definition_of(
      R"({"name":"My Hook","type":"custom","enabled":false,"url":"https://h/","consent":["ads"],
          "types":["track"],"events":{"allow":[],"deny":["x"]},"retry":{"baseMs":5,"maxAttempts":3},
          "rate":"30/m","concurrency":2,"timeoutMs":100,"ordering":"none","ip":"none",
          "filter":"event = x"})");
  REQUIRE(definition);
  json::Writer out;
  out.begin_object();
  write_definition(out, *definition, catalogue(), false);
  out.end_object();

  CHECK(definition->id == "my-hook");
  CHECK(definition->type == "webhook");
  CHECK(definition->rate == Approx(0.5));
  CHECK(definition_of(out.text()) == *definition);
}

TEST_CASE("a wrong definition is refused by name", "[destinations]") {
  const auto [text, field] = GENERATE(table<std::string, std::string>({
      {R"({"type":"webhook"})", "/name"},
      {R"({"name":"a"})", "/type"},
      {R"({"name":"a","type":"fax"})", "/type"},
      {R"({"name":"a","type":"webhook","id":"a b"})", "/id"},
      {R"({"name":"a","type":"webhook","typo":1})", "/typo"},
      {R"({"name":"a","type":"webhook","concurrency":0})", "/concurrency"},
      {R"({"name":"a","type":"webhook","retry":{"baseMs":-1}})", "/retry/baseMs"},
      {R"({"name":"a","type":"webhook","retry":{"x":1}})", "/retry/x"},
      {R"({"name":"a","type":"webhook","rate":"fast"})", "/rate"},
      {R"({"name":"a","type":"webhook","ordering":"age"})", "/ordering"},
      {R"({"name":"a","type":"webhook","consent":"ads"})", "/consent"},
      {R"({"name":"a","type":"webhook","ip":"half"})", "/ip"},
      {R"({"name":"a","type":"webhook","filter":1})", "/filter"},
      {R"({"name":"a","type":"webhook","types":[1]})", "/types"},
      {R"({"name":"a","type":"webhook","types":["bogus"]})", "/types"},
      {R"({"name":"a","type":"webhook","types":{"deny":["Track"]}})", "/types"},
      {R"x({"name":"a","type":"webhook","config":{"secret":"(set)"}})x", "/config/secret"},
      {R"({"name":"a","type":"webhook","config":[]})", "/config"},
  }));
  INFO(text);

  const auto definition = definition_of(text);

  REQUIRE_FALSE(definition);
  CHECK(definition.error().field == field);
}

TEST_CASE("a change keeps what it does not name", "[destinations]") {
  Definition base = hook("h");
  base.config = R"({"url":"https://h/","secret":"whsec_AAAA"})";

  const auto changed =
      definition_of(R"x({"enabled":false,"config":{"secret":"(set)","batch":5}})x", base);

  REQUIRE(changed);
  CHECK_FALSE(changed->enabled);
  CHECK(changed->config == R"({"url":"https://h/","secret":"whsec_AAAA","batch":5})");
}

TEST_CASE("what a masked answer showed is the secret that was", "[destinations]") {
  Definition base = hook("h");
  base.config = R"({"url":"https://h/","headers":{"X-Api-Key":"k","A":"b"}})";

  const auto changed =
      definition_of(R"x({"config":{"headers":{"X-Api-Key":"(set)","A":"c"}}})x", base);

  REQUIRE(changed);
  CHECK(changed->config == R"({"url":"https://h/","headers":{"X-Api-Key":"k","A":"c"}})");
  const auto unknown = definition_of(R"x({"config":{"headers":{"New":"(set)"}}})x", base);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().field == "/config/headers/New");
}

TEST_CASE("null sets a member back", "[destinations]") {
  Definition base = hook("h");
  base.filter = "event = x";
  base.ip = events::IpMode::None;
  base.types = {.allow = {"track"}};
  base.retry.max_attempts = 3;

  const auto changed = definition_of(
      R"({"filter":null,"ip":null,"types":null,"retry":null,"name":null,"lingerMs":null})", base);

  REQUIRE(changed);
  CHECK(*changed == hook("h"));
}

TEST_CASE("an id cannot be changed", "[destinations]") {
  const Definition base = hook("h");

  CHECK(definition_of(R"({"id":"h"})", base));
  const auto changed = definition_of(R"({"id":"other"})", base);
  REQUIRE_FALSE(changed);
  CHECK(changed.error().field == "/id");
  const auto document = json::Document::parse(
      R"({"name":"New Name","type":"webhook","url":"https://h/"})", json::kEvent);
  CHECK(read_definition(document->root(), catalogue(), {}, &base));
}

TEST_CASE("a name is as long as its characters are many", "[destinations]") {
  std::string name;
  for (int i = 0; i < 100; ++i) {
    name += "\u00e4";
  }
  const auto named = [](const std::string& text) {
    return definition_of(R"({"id":"a","type":"webhook","name":")" + text + "\"}");
  };

  CHECK(named(name));
  CHECK(named(name + "x").error().field == "/name");
}

TEST_CASE("credentials in the query of a URL are masked, and the mask stands for them",
          "[destinations]") {
  Definition base = hook("h");
  base.config = R"({"url":"https://h/in?token=abc&x=1&key=k","headers":{"X-Api-Key":"s"}})";
  json::Writer out;
  out.begin_object();
  write_definition(out, base, catalogue(), true);
  const std::string shown = out.end_object().take();
  const auto document = json::Document::parse(shown, json::kEvent);
  const std::string url(*document->root().at_pointer("/config/url")->as_string());

  CHECK(url.find("abc") == std::string::npos);
  CHECK(url.find("&x=1&") != std::string::npos);
  const auto replaced = read_definition(document->root(), catalogue(), {}, &base);  // PUT
  REQUIRE(replaced);
  CHECK(replaced->config == base.config);
  CHECK(definition_of(shown, base) == base);  // PATCH
  const auto moved =
      definition_of(R"({"url":"https://new/)" + url.substr(url.find("in?")) + "\"}", base);
  REQUIRE(moved);
  CHECK(moved->config.find(R"("https://new/in?token=abc&x=1&key=k")") != std::string::npos);
  const auto other = definition_of(
      R"({"url":"https://h/?sig=)" + url.substr(url.find("\u2026"), 11) + "\"}", base);
  REQUIRE_FALSE(other);
  CHECK(other.error().field == "/url");
}

TEST_CASE("a definition that cannot work is refused when it is made", "[destinations]") {
  const auto [config, field, message] = GENERATE(table<std::string, std::string, std::string>({
      {R"({"url":"https://bob:pw@h/"})", "/config/url", "must not hold a user name or password"},
      {R"({"url":"https://h/","headers":{"X-N":5}})", "/config/headers", "the header \"X-N\" must"},
      {R"({"url":"https://h/","mapping":{"a":"$.event","b":1,"a.b":"$.userId"}})",
       "/config/mapping",
       "\"a.b\" lies within \"a\""},
  }));
  INFO(config);
  Bench bench;
  REQUIRE(bench.destinations.load({}));
  Definition definition = hook("h");
  definition.config = config;

  const auto made = bench.destinations.create(definition);

  REQUIRE_FALSE(made);
  CHECK(made.error().field == field);
  CHECK(made.error().message.find(message) != std::string::npos);
  CHECK(made.error().message.find("pw") == std::string::npos);
}

TEST_CASE("secrets of a definition show as set", "[destinations]") {
  Definition definition = hook("h");
  definition.config =
      R"({"url":"https://h/","secret":"whsec_AAAA","headers":{"X-Api-Key":"k","A":"b"}})";
  json::Writer out;
  out.begin_object();
  write_definition(out, definition, catalogue(), true);

  CHECK(out.text().find("whsec_AAAA") == std::string::npos);
  CHECK(out.text().find(R"x("headers":{"X-Api-Key":"(set)","A":"b"})x") != std::string::npos);
}

TEST_CASE("an endpoint of the original becomes a webhook", "[destinations]") {
  const auto document = json::Document::parse(
      R"({"name":"crm","type":"crm","url":"https://h/","headers":{"A":"b"},"enabled":true,
          "retryConfig":{"maxRetries":3,"backoffMs":1000}})",
      json::kEvent);

  const auto definition = read_webhook_endpoint(document->root(), catalogue());

  REQUIRE(definition);
  CHECK(definition->type == "webhook");
  CHECK(definition->retry.max_attempts == 4);
  CHECK(definition->retry.base.count() == 1000);
}

TEST_CASE("an error in an endpoint of the original goes by its own names", "[destinations]") {
  const auto [retries, field] = GENERATE(table<std::string, std::string>({
      {R"({"backoffMs":0})", "/retryConfig/backoffMs"},
      {R"({"maxRetries":-1})", "/retryConfig/maxRetries"},
      {R"({"maxRetries":"three"})", "/retryConfig/maxRetries"},
  }));
  const auto document = json::Document::parse(
      R"({"name":"crm","url":"https://h/","retryConfig":)" + retries + "}", json::kEvent);

  const auto definition = read_webhook_endpoint(document->root(), catalogue());

  REQUIRE_FALSE(definition);
  CHECK(definition.error().field == field);
  CHECK(
      definition.error().message.starts_with("\"" + field.substr(1) + "\" must be a whole number"));
}

TEST_CASE("destinations outlive a restart with their numbers and switches", "[destinations]") {
  Bench bench;
  bench.append_event("before");
  REQUIRE(bench.destinations.load({hook("configured")}));
  REQUIRE(bench.destinations.create(hook("made")));
  REQUIRE(bench.destinations.set_switch("made", Switch::Paused));
  Destinations again(bench.store, catalogue(), {}, {});

  REQUIRE(again.load({hook("new"), hook("configured")}));

  const auto table = again.table().get();
  CHECK(table->find("configured")->number == 0);
  CHECK(table->find("made")->number == 1);
  CHECK(table->find("made")->position == Switch::Paused);
  CHECK(table->find("new")->number == 2);
  const auto position = bench.store.position(
      consumer_of("made"), kStream, kLane, storage::Deadline::in(std::chrono::seconds(1)));
  CHECK(position->offset == bench.store.head(kStream, kLane));
}

TEST_CASE("what stands in the configuration can be paused but not changed", "[destinations]") {
  Bench bench;
  REQUIRE(bench.destinations.load({hook("configured")}));

  CHECK(bench.destinations.set_switch("configured", Switch::Disabled));
  CHECK(bench.destinations.table().get()->route(*events::Event::decode("{}")).is_empty());
  CHECK(bench.destinations.replace("configured", hook("configured")).error().reason ==
        "configured");
  CHECK(bench.destinations.erase("configured").error().code == ErrorCode::Conflict);
  CHECK(bench.destinations.erase("none").error().code == ErrorCode::NotFound);
  CHECK(bench.destinations.create(hook("configured")).error().code == ErrorCode::Conflict);
  CHECK(bench.destinations.load({hook("a"), hook("a")}).error().code == ErrorCode::InvalidArgument);
  CHECK(bench.destinations.table().get()->find("configured") != nullptr);
}

TEST_CASE("a filter is compiled when a destination is made, and a wrong one refused",
          "[destinations]") {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  Destinations destinations(
      store, catalogue(), {}, {}, [](const std::string& text) -> Result<EventFilter> {
        if (text == "bad") {
          return Failure({ErrorCode::InvalidArgument, "column 1: no"});
        }
        return [text](const events::Event& event) { return event.event() == text; };
      });
  REQUIRE(destinations.load({}));
  Definition definition = hook("h");
  definition.filter = "bad";

  const auto refused = destinations.create(definition);
  definition.filter = "Paid";
  REQUIRE(destinations.create(definition));

  REQUIRE_FALSE(refused);
  CHECK(refused.error().field == "/filter");
  CHECK(refused.error().message.find("column 1: no") != std::string::npos);
  const auto table = destinations.table().get();
  CHECK(table->route(R"({"type":"track","event":"Paid"})").mask() == 1);
  CHECK(table->route(R"({"type":"track","event":"Other"})").is_empty());
  definition.filter = "";
  REQUIRE(destinations.replace("h", definition));
  CHECK(destinations.table().get()->route(R"({"type":"track","event":"Other"})").mask() == 1);
}

TEST_CASE("enabling a destination that was gone lets it go on", "[destinations]") {
  Bench bench;
  REQUIRE(bench.destinations.create(hook("h")));
  REQUIRE(bench.destinations.set_switch("h", Switch::Disabled));
  REQUIRE_FALSE(bench.destinations.table().get()->find("h")->is_enabled());

  REQUIRE(bench.destinations.replace("h", hook("h")));

  CHECK(bench.destinations.table().get()->find("h")->is_enabled());
}

TEST_CASE("a secret that was rotated is looked up anew", "[destinations]") {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  std::string secret = "whsec_AAAA";
  Destinations destinations(
      store, catalogue(), [&](const std::string&) { return std::optional(secret); }, {});
  REQUIRE(destinations.load({*definition_of(
      R"({"id":"h","name":"h","type":"webhook","url":"https://h/","secret":"NAME"})")}));
  const std::string before = destinations.table().get()->find("h")->credentials;

  REQUIRE(destinations.refresh());
  CHECK(destinations.table().get()->find("h")->credentials == before);
  secret = "whsec_BBBB";
  REQUIRE(destinations.refresh());
  CHECK(destinations.table().get()->find("h")->credentials != before);
}

TEST_CASE("a removed destination frees its number and its parked deliveries", "[destinations]") {
  Bench bench;
  REQUIRE(bench.destinations.load({}));
  REQUIRE(bench.destinations.create(hook("a")));
  storage::Batch batch;
  batch.dues.push_back({.queue = queue_of("a"), .at = 1, .id = "x", .body = "{}"});
  REQUIRE(bench.store.commit(std::move(batch), storage::Deadline::in(std::chrono::seconds(1))));

  REQUIRE(bench.destinations.erase("a"));

  CHECK(bench.destinations.table().get()->entries().empty());
  CHECK(bench.store.list({.queue = queue_of("a")}, storage::Deadline::in(std::chrono::seconds(1)))
            ->items.empty());
  CHECK((*bench.destinations.create(hook("b")))->number == 1);
}

TEST_CASE("numbers of removed destinations come round, not at once", "[destinations]") {
  Bench bench;
  REQUIRE(bench.destinations.load({}));

  for (unsigned i = 0; i < kMaxDestinations + 3; ++i) {
    const auto made = bench.destinations.create(hook("d"));
    REQUIRE(made);
    CHECK((*made)->number == i % kMaxDestinations);
    REQUIRE(bench.destinations.erase("d"));
  }
}

}  // namespace
}  // namespace edge::destinations
