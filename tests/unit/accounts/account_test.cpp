// SPDX-License-Identifier: MIT
#include "core/accounts/account.h"

#include <catch2/catch.hpp>

#include "core/accounts/guessable.h"

namespace edge::accounts {
namespace {

TEST_CASE("an address is trimmed and lower-cased in ASCII only", "[accounts]") {
  CHECK(*normalise_address("  Ada@Example.COM ") == "ada@example.com");
  CHECK(*normalise_address("\xC3\x84@x.y") == "\xC3\x84@x.y");
  CHECK(*normalise_address(std::string(252, 'a') + "@b") == std::string(252, 'a') + "@b");
}

TEST_CASE("texts that are no address are refused", "[accounts]") {
  for (const std::string& text : {std::string(),
                                  std::string("a"),
                                  std::string("@b.c"),
                                  std::string("a@"),
                                  std::string("a@@b.c"),
                                  std::string("a b@c.d"),
                                  std::string("a@b\n.c"),
                                  std::string("a@b.c\0", 6),
                                  std::string("a\xFF@b.c"),
                                  std::string("a\xC2\xA0@b.c"),
                                  std::string("a\xE2\x80\x8B@b.c"),
                                  std::string(253, 'a') + "@b"}) {
    const auto address = normalise_address(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().reason == "invalid_email");
  }
}

TEST_CASE("passwords that guessers try first are refused", "[accounts]") {
  for (const char* password :
       {"password",         "Password1!",   "P4ssw0rd",   "p@ssw0rd123", "12345678",
        "1234567890",       "87654321",     "qwertyui",   "QWERTYuiop",  "1q2w3e4r",
        "1qaz2wsx",         "letmein123",   "summer2024", "Winter2025!", "iloveyou",
        "aaaaaaaa",         "abc123abc123", "12121212",   "01.02.1990",  "trustno1",
        "passwordpassword", "abcdefgh",     "changeme1",  "welcome123"}) {
    INFO(password);
    CHECK(is_guessable(password));
    CHECK(check_new_password(password, "x@y.z").error().reason == "weak_password");
  }
}

TEST_CASE("long and unusual passwords are allowed", "[accounts]") {
  for (const char* password : {"correct horse battery staple",
                               "wrong-password",
                               "my cat eats 7 fish",
                               "Tr0ub4dor&3xyz",
                               "p\xC3\xA4ssw\xC3\xB6rd \xE6\xBC\xA2",
                               "kX9#mQ2$"}) {
    INFO(password);
    CHECK(check_new_password(password, "x@y.z"));
  }
  CHECK(check_new_password(std::string(1000, 'a') + "bcdefgh quite long", "x@y.z"));
}

TEST_CASE("a password is bounded and does not repeat the address", "[accounts]") {
  const std::string email = "ada.lovelace@example.com";
  for (const std::string& password : {std::string("short7!"),
                                      std::string(1025, 'a') + "b",
                                      email,
                                      std::string("Ada.Lovelace"),
                                      std::string("zzzzzzzzz"),
                                      std::string("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"),
                                      std::string("abc\xFFxyz123")}) {
    INFO(password.substr(0, 40));
    const auto checked = check_new_password(password, email);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().field == "/password");
    CHECK(checked.error().message.find(password) == std::string::npos);
  }
}

TEST_CASE("names and roles are checked", "[accounts]") {
  CHECK(check_name("Al"));
  for (const std::string& name :
       {std::string("A"), std::string(201, 'a'), std::string("a\nb"), std::string("a\xFF")}) {
    CHECK(check_name(name).error().reason == "invalid_name");
  }
  CHECK(check_roles(std::vector<std::string>{"admin", "viewer"}));
  CHECK(check_roles(std::vector<std::string>{"root"}).error().reason == "unknown_role");
}

}  // namespace
}  // namespace edge::accounts
