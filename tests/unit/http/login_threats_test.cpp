// SPDX-License-Identifier: MIT
// Abuse of logins against a whole daemon (identity spec 7, rows 20, 21, 24, 25 and 39).
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/crypto/password.h"
#include "tests/unit/http/auth_daemon.h"

namespace edge {
namespace {

using test::Answer;
using test::AuthDaemon;
using test::kPassword;
using test::member;

TEST_CASE("[threat-20] an address in another spelling is the same account", "[auth][threat-20]") {
  AuthDaemon daemon({.demo = true});
  const auto enroll = [&](const std::string& email) {
    return daemon
        .post("/auth/register",
              fmt::format(R"({{"email":"{}","password":"{}","name":"Ada"}})", email, kPassword))
        .status;
  };
  REQUIRE(enroll("ada@example.com") == 200);

  for (const char* same : {"ADA@example.com",
                           "Ada@EXAMPLE.Com",
                           " ada@example.com",
                           "ada@example.com  ",
                           "\\tada@example.com\\n",
                           "\\u0041da@example.com"}) {
    CAPTURE(same);
    CHECK(enroll(same) == 409);
  }
  daemon.clock.advance(std::chrono::hours(1));  // one client registers ten times an hour
  for (const char* wrong : {"ada@example.com\\u0000",
                            "ada\\u0000@example.com",
                            "ada @example.com",
                            "ada@@example.com",
                            "ada@example.com\\r\\nx",
                            "@example.com"}) {
    CAPTURE(wrong);
    CHECK(enroll(wrong) == 400);
  }
  CHECK(daemon.edge->login.accounts.list()->size() == 1);
}

TEST_CASE("[threat-21] guessing at one account is answered 429 with a time to wait",
          "[auth][threat-21]") {
  AuthDaemon daemon;
  daemon.add_ada();
  for (int i = 0; i < 6; ++i) {
    CHECK(daemon.login("ada@example.com", "wrong password").status == 401);
  }

  const Answer refused = daemon.login("ada@example.com", "wrong password");
  const Answer right = daemon.login();
  daemon.clock.advance(std::chrono::seconds(1));
  const Answer later = daemon.login("ada@example.com", "wrong password");
  const Answer longer = daemon.login("ada@example.com", "wrong password");

  CHECK(refused.status == 429);
  CHECK(refused.field("Retry-After") == "1");
  CHECK(member(refused, "/error") == "Rate limit exceeded");
  CHECK(right.status == 429);  // guessing right does not help while the time runs
  CHECK(later.status == 401);
  CHECK(longer.field("Retry-After") == "2");
}

TEST_CASE("[threat-24] another user's account cannot be locked, only be made to wait",
          "[auth][threat-24]") {
  AuthDaemon daemon;
  daemon.add_ada();
  REQUIRE(daemon.edge->login.create(
      {.email = "bob@example.com", .password = kPassword, .name = "Bob", .roles = {"viewer"}}));
  std::string wait = "1";
  for (int i = 0; i < 18; ++i) {
    const Answer answer = daemon.login("ada@example.com", "wrong password");
    wait = answer.status == 429 ? answer.field("Retry-After") : wait;
    daemon.clock.advance(std::chrono::seconds(answer.status == 429 ? std::stoi(wait) : 0));
  }

  CHECK(std::stoi(wait) <= 900);
  CHECK(daemon.login("bob@example.com").status == 200);
  daemon.clock.advance(std::chrono::seconds(900));
  CHECK(daemon.login().status == 200);
  CHECK(daemon.login("ada@example.com", "wrong password").status == 401);
  CHECK(daemon.login().status == 200);
}

TEST_CASE("[threat-25] long passwords are refused at once and many logins leave room for others",
          "[auth][threat-25]") {
  const AuthDaemon daemon;
  daemon.add_ada();

  const Answer huge = daemon.login("ada@example.com", std::string(std::size_t{1} << 20U, 'p'));
  const Answer longer = daemon.login("ada@example.com", std::string(2000, 'p'));

  CHECK(huge.status == 413);
  CHECK(longer.status == 400);

  std::array<std::atomic<int>, 600> seen{};
  std::atomic<int> healthy = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 60; ++i) {
      clients.emplace_back([&, i] {
        ++seen.at(static_cast<std::size_t>(
            daemon.login("u" + std::to_string(i) + "@example.com", "wrong password").status));
        healthy += daemon.ask("GET", "/health/live", "").status == 200 ? 1 : 0;
      });
    }
    CHECK(daemon.ask("GET", "/health/live", "").status == 200);
  }
  CHECK(healthy == 60);
  CHECK(seen[401] + seen[503] == 60);
  CHECK(seen[401] > 0);
}

TEST_CASE("[threat-39] a stored hash that wants 4 GiB is refused from its text",
          "[auth][threat-39]") {
  const AuthDaemon daemon;
  daemon.add_ada();
  const auto peak_kib = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const auto accounts = daemon.edge->login.accounts.list();
  const std::string salt_and_hash =
      "$c2FsdHNhbHRzYWx0c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
  const auto before = peak_kib();
  for (const char* cost :
       {"m=4194304,t=2,p=1", "m=262145,t=2,p=1", "m=19456,t=17,p=1", "m=19456,t=2,p=17"}) {
    CAPTURE(cost);
    REQUIRE(
        daemon.edge->login.accounts.change(accounts->front().id, [&](accounts::Account& account) {
          account.password = std::string("$argon2id$v=19$") + cost + salt_and_hash;
        }));

    CHECK(daemon.login().status == 401);
    CHECK_FALSE(
        crypto::verify_password(std::string("$argon2id$v=19$") + cost + salt_and_hash, kPassword));
  }

  CHECK(peak_kib() - before < 200'000);
}

}  // namespace
}  // namespace edge
