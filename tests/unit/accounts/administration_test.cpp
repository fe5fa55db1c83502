// SPDX-License-Identifier: MIT
#include "core/accounts/administration.h"

#include <catch2/catch.hpp>

#include "core/accounts/login_settings.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace edge::accounts {
namespace {

using namespace std::chrono_literals;

const std::string kPassword = "correct horse battery";
const tokens::Actor kActor{.id = "a-1", .kind = "user", .client = "127.0.0.1", .request = "r-1"};

struct Fixture {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  SystemRandom random;
  test::SequenceIds ids;
  Login login{store, clock, random, ids, {.cost = {.memory_kib = 8, .passes = 1}}};
  Administration administration{login};
  Account ada;

  Fixture() {
    REQUIRE(login.start(*tokens::SigningKeys::of_secret("0123456789abcdef0123456789abcdef")));
    const auto made = administration.create(
        {.email = "Ada@example.com", .password = kPassword, .roles = {"editor"}}, kActor);
    REQUIRE(made);
    ada = *made;
  }
  std::string sign_in() {
    const auto done = login.login("ada@example.com", kPassword, "10.0.0.1");
    REQUIRE(done);
    return done->access_token;
  }
  std::string access(const std::string& token) {
    const auto access = login.check_access(token);
    return access ? access->roles.at(0) : access.error().reason;
  }
  std::vector<tokens::AuditEntry> trail() {
    auto page = tokens::Audit(store, clock, ids).list(100);
    REQUIRE(page);
    return page->entries;
  }
};

TEST_CASE("roles that an administrator gives count from the next request on", "[accounts]") {
  Fixture f;
  const std::string token = f.sign_in();
  CHECK(f.access(token) == "editor");

  REQUIRE(f.administration.update(f.ada.id, {.roles = {{"viewer"}}}, kActor));

  CHECK(f.access(token) == "viewer");
}

TEST_CASE("disabling, a new password and deletion end the sessions of an account", "[accounts]") {
  Fixture f;
  const std::string first = f.sign_in();
  REQUIRE(f.administration.update(f.ada.id, {.disabled = true}, kActor));
  CHECK(f.access(first) == "session_revoked");
  CHECK_FALSE(f.login.login("ada@example.com", kPassword, "10.0.0.1"));

  REQUIRE(f.administration.update(f.ada.id, {.disabled = false}, kActor));
  const std::string second = f.sign_in();
  CHECK(f.access(first) == "session_revoked");
  REQUIRE(f.administration.update(f.ada.id, {.password = "another fine password"}, kActor));
  CHECK(f.access(second) == "session_revoked");

  const auto third = f.login.login("ada@example.com", "another fine password", "10.0.0.1");
  REQUIRE(third);
  REQUIRE(f.administration.erase(f.ada.id, kActor));
  CHECK(f.access(third->access_token) == "session_revoked");
  CHECK(f.administration.find("ada@example.com").error().reason == "user_not_found");
  CHECK(f.administration.create({.email = "ada@example.com", .password = kPassword}, kActor));
}

TEST_CASE("every change of an account is in the audit trail, passwords are not", "[accounts]") {
  Fixture f;
  REQUIRE(f.administration.update(
      f.ada.id, {.roles = {{"admin"}}, .password = "another fine password"}, kActor));
  f.clock.advance(1ms);
  REQUIRE(f.administration.update(f.ada.id, {.disabled = true}, kActor));
  f.clock.advance(1ms);
  REQUIRE(f.administration.erase(f.ada.id, kActor));

  const auto trail = f.trail();

  REQUIRE(trail.size() == 4);
  CHECK(trail[0].action == "user.deleted");
  CHECK(trail[1].action == "user.disabled");
  CHECK(trail[0].actor == kActor);
  CHECK(trail[0].target == f.ada.id.text);
  CHECK(trail[0].at == f.clock.now());
  for (const tokens::AuditEntry& entry : trail) {
    CHECK(entry.details.find("another fine") == std::string::npos);
    CHECK(entry.details.find("argon2") == std::string::npos);
  }
  const tokens::Audit audit(f.store, f.clock, f.ids);
  const auto first = audit.list(3);
  REQUIRE(first->before);
  CHECK(audit.list(3, *first->before)->entries.size() == 1);
}

TEST_CASE("a change that was refused leaves no entry and no change", "[accounts]") {
  Fixture f;
  const std::size_t before = f.trail().size();

  CHECK(f.administration.update(f.ada.id, {.roles = {{"king"}}}, kActor).error().reason ==
        "unknown_role");
  CHECK(f.administration.update(f.ada.id, {.name = "x"}, kActor).error().field == "/name");
  CHECK(f.administration.update(f.ada.id, {.password = "password"}, kActor).error().reason ==
        "weak_password");
  CHECK(f.administration.update({"nobody"}, {.name = "Nobody"}, kActor).error().reason ==
        "user_not_found");
  CHECK(f.administration.create({.email = "ada@example.com", .password = kPassword}, kActor)
            .error()
            .reason == "email_taken");

  CHECK(f.trail().size() == before);
  CHECK(f.administration.find("ada@example.com")->roles == std::vector<std::string>{"editor"});
}

TEST_CASE("accounts are listed page by page in the order of their addresses", "[accounts]") {
  Fixture f;
  for (const char* email : {"bob@example.com", "aaa@example.com"}) {
    REQUIRE(f.administration.create({.email = email, .password = kPassword}, kActor));
  }

  const auto first = f.login.accounts.list("", 2);
  REQUIRE(first);
  REQUIRE(first->next);
  const auto second = f.login.accounts.list(*first->next, 2);

  CHECK(first->accounts[0].email == "aaa@example.com");
  CHECK(first->accounts[1].email == "ada@example.com");
  REQUIRE(second);
  CHECK(second->accounts.at(0).email == "bob@example.com");
  CHECK_FALSE(second->next);
}

TEST_CASE("settings of logins outside their bounds name their key", "[accounts]") {
  const auto field_of = [](config::Auth auth) {
    const auto sound = check_settings(auth);
    return sound ? std::string() : sound.error().field;
  };
  CHECK(field_of({}).empty());
  CHECK(field_of({.access_ttl = 59s}) == "auth.access_ttl");
  CHECK(field_of({.access_ttl = 3601s}) == "auth.access_ttl");
  CHECK(field_of({.session_idle = 0s}) == "auth.session_idle");
  CHECK(field_of({.password_memory_kib = 19455}) == "auth.password_memory_kib");
  CHECK(field_of({.password_passes = 11}) == "auth.password_passes");
  CHECK(field_of({.refreshes_per_minute = 0}) == "auth.refreshes_per_minute");
}

}  // namespace
}  // namespace edge::accounts
