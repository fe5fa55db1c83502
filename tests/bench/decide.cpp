// SPDX-License-Identifier: MIT
// Nanoseconds per decision. Usage: bench_decide DATAFILE… (for example
// tests/vectors/decisions/starter.json).
#include "core/flags/decide.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using edge::flags::Attribute;
using edge::flags::Decider;
using edge::flags::Scalar;
using edge::flags::User;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kUsers = 1'000;
constexpr std::chrono::milliseconds kAtLeast{500};

Scalar text(std::string_view value) {
  return {.kind = Scalar::Kind::Text, .text = value};
}

std::vector<User> make_users(const std::vector<std::string>& ids) {
  std::vector<User> users;
  for (const std::string& id : ids) {
    User user = User::named(id);
    user.attributes = {{"plan", text("pro")},
                       {"country", text(users.size() % 2 == 0 ? "US" : "DE")},
                       {"age", {.kind = Scalar::Kind::Number, .number = 30}},
                       {"app", text("2.1.0")},
                       {"beta", {.kind = Scalar::Kind::Bool, .boolean = true}}};
    users.push_back(std::move(user));
  }
  return users;
}

int measure(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  const auto loading = Steady::now();
  const auto datafile = edge::flags::load_datafile(content);
  const auto loaded = Steady::now() - loading;
  if (!datafile) {
    fmt::print(stderr, "{}: {}\n", path, datafile.error().message);
    return 1;
  }
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kUsers; ++i) {
    ids.push_back(fmt::format("user-{}", i));
  }
  const auto users = make_users(ids);
  std::uint64_t decisions = 0;
  std::uint64_t enabled = 0;
  const auto begin = Steady::now();
  auto end = begin;
  while (end - begin < kAtLeast) {
    for (const User& user : users) {
      const auto& flag = (*datafile)->flags[decisions % (*datafile)->flags.size()];
      enabled += Decider(**datafile, user).decide(flag.key).is_enabled ? 1 : 0;
      ++decisions;
    }
    end = Steady::now();
  }
  const double ns = std::chrono::duration<double, std::nano>(end - begin).count();
  fmt::print(
      "{}: {} octets, {} flags, loaded in {:.2f} ms; {:.0f} ns per decision ({} made, {:.0f} % "
      "on)\n",
      path,
      content.size(),
      (*datafile)->flags.size(),
      std::chrono::duration<double, std::milli>(loaded).count(),
      ns / static_cast<double>(decisions),
      decisions,
      100.0 * static_cast<double>(enabled) / static_cast<double>(decisions));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int failed = argc < 2 ? 2 : 0;
  for (int i = 1; i < argc; ++i) {
    failed |= measure(argv[i]);
  }
  return failed;
}
