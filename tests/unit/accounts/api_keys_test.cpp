// SPDX-License-Identifier: MIT
#include "core/accounts/api_keys.h"

#include <catch2/catch.hpp>

#include "core/accounts/api_key_text.h"
#include "core/encoding/hex.h"
#include "core/json/document.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/support/vectors.h"

namespace edge::accounts {
namespace {

using namespace std::chrono_literals;

const tokens::Actor kActor{.id = "a-1", .kind = "user"};

struct Fixture {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  SystemRandom random;
  test::SequenceIds ids;
  ApiKeys keys{store, clock, random, ids};

  NewApiKey make(std::optional<Time> expires = {}) {
    const auto made =
        keys.create({.name = "importer", .scopes = {"track:write"}, .expires = expires}, kActor);
    REQUIRE(made);
    return *made;
  }
  bool is_good(const std::string& text) {
    const auto key = keys.authenticate(text);
    CHECK((key || key.error().reason == "invalid_api_key"));
    return key.has_value();
  }
};

TEST_CASE("the texts of API keys are judged as the vectors say", "[accounts]") {
  const auto lines = test::vector_lines("identity", "api_keys.jsonl");
  if (!lines) {
    return;
  }
  for (const std::string& line : *lines) {
    const auto document = json::Document::parse(line, json::kApi);
    REQUIRE(document);
    const json::Value row = document->root();
    INFO(line);

    const auto parts = read_api_key(*row.find("key")->as_string());

    REQUIRE(parts.has_value() == *row.find("wellformed")->as_bool());
    if (parts) {
      CHECK(parts->id == *row.find("key_id")->as_string());
      CHECK(encoding::hex_encode(parts->hash) == *row.find("stored_sha256")->as_string());
    }
  }
  test::report_vectors("identity", "api_keys.jsonl", lines->size());
}

TEST_CASE("an API key works from its creation to its end", "[accounts]") {
  Fixture f;
  const NewApiKey made = f.make(f.clock.now() + 1h);

  CHECK(made.text.size() == 74);
  CHECK(read_api_key(made.text)->id == made.key.id);
  const auto key = f.keys.authenticate(made.text);
  REQUIRE(key);
  CHECK((*key)->scopes == std::vector<std::string>{"track:write"});
  f.clock.advance(1h);
  CHECK_FALSE(f.is_good(made.text));
}

TEST_CASE("the store never holds the text of an API key", "[accounts]") {
  Fixture f;
  const NewApiKey made = f.make();
  f.keys.authenticate(made.text);
  const std::string secret = made.text.substr(15, 52);

  for (const char* space : {"api_key", "api_key_used", "audit"}) {
    const auto page = f.store.scan(storage::Scan::prefix(space, "", ""), storage::Deadline::in(1s));
    REQUIRE(page);
    CHECK_FALSE(page->items.empty());
    for (const auto& item : page->items) {
      CHECK(item.entry.value.find(secret) == std::string::npos);
    }
  }
  CHECK(api_key_json(made.key).find(encoding::hex_encode(made.key.hash)) == std::string::npos);
}

TEST_CASE("a rotated key has a new text under its old id", "[accounts]") {
  Fixture f;
  const NewApiKey old = f.make();
  CHECK(f.is_good(old.text));

  const auto rotated = f.keys.rotate(old.key.id, kActor);

  REQUIRE(rotated);
  CHECK(rotated->key.id == old.key.id);
  CHECK(rotated->key.scopes == old.key.scopes);
  CHECK_FALSE(f.is_good(old.text));
  CHECK(f.is_good(rotated->text));
}

TEST_CASE("a revoked key is refused at once, stays listed and cannot be rotated", "[accounts]") {
  Fixture f;
  const NewApiKey made = f.make();
  CHECK(f.is_good(made.text));

  REQUIRE(f.keys.revoke(made.key.id, kActor));

  CHECK_FALSE(f.is_good(made.text));
  CHECK(f.keys.list()->at(0).revoked == f.clock.now());
  CHECK(f.keys.rotate(made.key.id, kActor).error().reason == "api_key_revoked");
  CHECK(f.keys.revoke("unknown", kActor).error().reason == "api_key_not_found");
}

TEST_CASE("another process sees a revocation within a second", "[accounts]") {
  Fixture f;
  ApiKeys other(f.store, f.clock, f.random, f.ids);
  const NewApiKey made = f.make();
  REQUIRE(other.authenticate(made.text));

  REQUIRE(f.keys.revoke(made.key.id, kActor));
  f.clock.advance(1s);

  CHECK_FALSE(other.authenticate(made.text));
}

TEST_CASE("the last use of a key is written at most once a minute", "[accounts]") {
  Fixture f;
  const NewApiKey made = f.make();
  const Time first = f.clock.now();

  REQUIRE(f.is_good(made.text));
  f.clock.advance(59s);
  REQUIRE(f.is_good(made.text));
  CHECK(f.keys.list()->at(0).used == first);
  f.clock.advance(1s);
  REQUIRE(f.is_good(made.text));
  CHECK(f.keys.list()->at(0).used == first + 60s);
}

TEST_CASE("wishes for keys that make no sense are refused", "[accounts]") {
  Fixture f;
  const auto field_of = [&](const ApiKeyWish& wish) {
    const auto made = f.keys.create(wish, kActor);
    return made ? std::string("ok") : made.error().field;
  };
  CHECK(field_of({.name = "x", .scopes = {"track:write"}}) == "/name");
  CHECK(field_of({.name = "importer"}) == "/scopes");
  CHECK(field_of({.name = "importer", .scopes = {"track:wrote"}}) == "/scopes");
  CHECK(field_of({.name = "importer", .scopes = {"track:write"}, .expires = f.clock.now()}) ==
        "/expires");
  CHECK(field_of({.name = "importer", .scopes = {"*", "admin:users"}}) == "ok");
}

}  // namespace
}  // namespace edge::accounts
