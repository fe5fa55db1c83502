// SPDX-License-Identifier: MIT
#include "core/tokens/sessions.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace edge::tokens {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  test::FakeClock clock;
  test::MemoryStore store{clock};
  SystemRandom random;
  test::SequenceIds ids;
  Sessions sessions{store, clock, random, ids};
  AccountId account{"a-1"};

  std::string reason_of_refresh(const std::string& token) {
    const auto refreshed = sessions.refresh(token);
    return refreshed ? "ok" : refreshed.error().reason;
  }
};

TEST_CASE("each refresh hands out a successor of the same session", "[tokens]") {
  Fixture f;
  const auto first = f.sessions.open(f.account);
  REQUIRE(first);

  const auto second = f.sessions.refresh(first->refresh_token);
  const auto third = f.sessions.refresh(second->refresh_token);

  REQUIRE(third);
  CHECK(third->id == first->id);
  CHECK(third->account == f.account);
  CHECK(first->refresh_token.size() == 47);
  CHECK(first->refresh_token != second->refresh_token);
  CHECK(second->refresh_token != third->refresh_token);
}

TEST_CASE("a token retried within two seconds is a conflict and changes nothing", "[tokens]") {
  Fixture f;
  const std::string first = f.sessions.open(f.account)->refresh_token;
  const std::string second = f.sessions.refresh(first)->refresh_token;

  f.clock.advance(1999ms);
  CHECK(f.reason_of_refresh(first) == "refresh_conflict");
  CHECK(f.reason_of_refresh(second) == "ok");
}

TEST_CASE("a retry after the session has ended is no conflict", "[tokens]") {
  Fixture f;
  const auto opened = f.sessions.open(f.account);
  REQUIRE(opened);
  REQUIRE(f.sessions.refresh(opened->refresh_token));

  REQUIRE(f.sessions.revoke(f.account, opened->id));

  CHECK(f.reason_of_refresh(opened->refresh_token) == "session_revoked");
}

TEST_CASE("a spent token that comes back later ends the session", "[tokens][threat-16]") {
  Fixture f;
  const auto opened = f.sessions.open(f.account);
  const auto other = f.sessions.open(f.account);
  const std::string second = f.sessions.refresh(opened->refresh_token)->refresh_token;
  const bool successor_used = GENERATE(false, true);
  std::string newest = second;
  if (successor_used) {
    newest = f.sessions.refresh(second)->refresh_token;
  } else {
    f.clock.advance(2s);
  }

  CHECK(f.reason_of_refresh(opened->refresh_token) == "session_revoked");
  CHECK(f.sessions.is_revoked(opened->id));
  CHECK(f.reason_of_refresh(newest) == "session_revoked");
  CHECK_FALSE(f.sessions.is_revoked(other->id));
  const auto audit =
      f.store.scan(storage::Scan::prefix("audit", "", ""), storage::Deadline::in(1s));
  REQUIRE(audit->items.size() == 1);
  CHECK(audit->items[0].entry.value.find("refresh_token_reused") != std::string::npos);
}

TEST_CASE("of ten parallel uses of one refresh token exactly one succeeds", "[tokens][threat-17]") {
  Fixture f;
  for (int round = 0; round < 20; ++round) {
    const std::string token = f.sessions.open(f.account)->refresh_token;
    std::atomic<int> successes = 0;
    std::atomic<int> conflicts = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 10; ++i) {
        threads.emplace_back([&] {
          const auto refreshed = f.sessions.refresh(token);
          successes += refreshed ? 1 : 0;
          conflicts += !refreshed && refreshed.error().reason == "refresh_conflict" ? 1 : 0;
        });
      }
    }
    CHECK(successes == 1);
    CHECK(conflicts == 9);
  }
}

TEST_CASE("a session ends when idle for a week and after thirty days in any case", "[tokens]") {
  Fixture f;
  const std::string idle = f.sessions.open(f.account)->refresh_token;
  f.clock.advance(24h * 7 - 1s);
  std::string token = f.sessions.open(f.account)->refresh_token;
  CHECK(f.reason_of_refresh(idle) == "ok");
  f.clock.advance(1s);
  const std::string late = f.sessions.open(f.account)->refresh_token;
  f.clock.advance(24h * 7);
  CHECK(f.reason_of_refresh(late) == "session_revoked");

  token = f.sessions.open(f.account)->refresh_token;
  for (int day = 0; day < 29; ++day) {
    f.clock.advance(24h);
    token = f.sessions.refresh(token)->refresh_token;
  }
  f.clock.advance(24h);
  CHECK(f.reason_of_refresh(token) == "session_revoked");
}

TEST_CASE("revoked sessions are known after a restart", "[tokens]") {
  Fixture f;
  const auto opened = f.sessions.open(f.account);
  const auto kept = f.sessions.open(f.account);
  const auto third = f.sessions.open(f.account);
  const auto foreign = f.sessions.open({"a-2"});

  REQUIRE(f.sessions.revoke(f.account, opened->id));
  REQUIRE(f.sessions.revoke_all(f.account, kept->id));

  Sessions again(f.store, f.clock, f.random, f.ids);
  REQUIRE(again.load());
  for (const Sessions* sessions : {&f.sessions, &again}) {
    CHECK(sessions->is_revoked(opened->id));
    CHECK(sessions->is_revoked(third->id));
    CHECK_FALSE(sessions->is_revoked(kept->id));
    CHECK_FALSE(sessions->is_revoked(foreign->id));
  }
  CHECK(f.reason_of_refresh(third->refresh_token) == "session_revoked");
  CHECK(f.reason_of_refresh(kept->refresh_token) == "ok");
}

TEST_CASE("texts that are no refresh token are refused", "[tokens]") {
  Fixture f;
  for (const std::string& token : {std::string(),
                                   std::string("ert_"),
                                   "ert_" + std::string(43, 'A'),
                                   "xxx_" + std::string(43, 'A'),
                                   std::string(100'000, 'e')}) {
    CHECK(f.reason_of_refresh(token) == "session_revoked");
  }
}

TEST_CASE("a store that refuses is an error and no session", "[tokens]") {
  Fixture f;
  const std::string token = f.sessions.open(f.account)->refresh_token;
  f.store.refuse_commits(Error{ErrorCode::Unavailable, "full", {}, "full"});

  CHECK(f.sessions.open(f.account).error().reason == "full");
  CHECK(f.reason_of_refresh(token) == "full");

  f.store.refuse_commits(std::nullopt);
  CHECK(f.reason_of_refresh(token) == "ok");
}

}  // namespace
}  // namespace edge::tokens
