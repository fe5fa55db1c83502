// SPDX-License-Identifier: MIT
#include "core/accounts/demo.h"

#include <cstdint>
#include <utility>

#include "core/accounts/administration.h"
#include "core/encoding/base32.h"

namespace edge::accounts {
namespace {

const tokens::Actor kDemo{.id = "demo", .kind = "local"};

std::string random_password(Random& random) {
  std::string octets(10, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(octets.data()), octets.size()});
  return encoding::base32_encode(octets);
}

}  // namespace

Result<std::optional<DemoCredentials>> make_demo_credentials(Login& login,
                                                             ApiKeys& keys,
                                                             Random& random) {
  const auto first = login.accounts.list("", 1);
  if (!first) {
    return Failure(first.error());
  }
  if (!first->accounts.empty()) {
    return std::optional<DemoCredentials>();
  }
  DemoCredentials made{.email = "admin@edge.localhost", .password = random_password(random)};
  const auto account = Administration(login).create(
      {.email = made.email, .password = made.password, .name = "Demo", .roles = {"admin"}}, kDemo);
  if (!account) {
    return Failure(account.error());
  }
  auto key = keys.create(
      {.name = "demo",
       .scopes = {"track:write", "track:read", "pixel:generate", "cdp:read", "flags:read"}},
      kDemo);
  if (!key) {
    return Failure(std::move(key.error()));
  }
  made.api_key = std::move(key->text);
  return std::optional(std::move(made));
}

}  // namespace edge::accounts
