// SPDX-License-Identifier: MIT
// Decisions per second of processor time. Usage: bench_decide DATAFILE… (for example
// tests/vectors/decisions/starter.json). One line per measurement, fields separated by tabs: file,
// what, calls per second, and remarks; tests/bench/decide.sh sets it against the JavaScript SDK.
#include "core/flags/decide.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using edge::flags::Datafile;
using edge::flags::Decider;
using edge::flags::Scalar;
using edge::flags::User;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kUsers = 1'000;
constexpr double kAtLeastSeconds = 0.5;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Scalar text(std::string_view value) {
  return {.kind = Scalar::Kind::Text, .text = value};
}

/// Made anew for every call, as the SDK makes a context for every call.
User user_of(const std::string& id, std::size_t number) {
  User user = User::named(id);
  user.attributes = {{"plan", text("pro")},
                     {"country", text(number % 2 == 0 ? "US" : "DE")},
                     {"age", {.kind = Scalar::Kind::Number, .number = 30}},
                     {"app", text("2.1.0")},
                     {"beta", {.kind = Scalar::Kind::Bool, .boolean = true}}};
  return user;
}

/// Calls per second of processor time; `call` gets the number of the call.
template <typename Call>
double rate_of(const Call& call) {
  std::size_t calls = 0;
  const double begin = cpu_seconds();
  double end = begin;
  while (end - begin < kAtLeastSeconds) {
    for (std::size_t i = 0; i < 64; ++i) {
      call(calls++);
    }
    end = cpu_seconds();
  }
  return static_cast<double>(calls) / (end - begin);
}

int measure(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  const auto loading = Steady::now();
  const auto loaded = edge::flags::load_datafile(content);
  const double load_ms = std::chrono::duration<double, std::milli>(Steady::now() - loading).count();
  if (!loaded) {
    fmt::print(stderr, "{}: {}\n", path.string(), loaded.error().message);
    return 1;
  }
  const Datafile& datafile = **loaded;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kUsers; ++i) {
    ids.push_back(fmt::format("user-{}", i));
  }
  std::size_t enabled = 0;
  const double one = rate_of([&](std::size_t i) {
    const User user = user_of(ids[i % kUsers], i);
    const auto& flag = datafile.flags[i % datafile.flags.size()];
    enabled += Decider(datafile, user).decide(flag.key).is_enabled ? 1 : 0;
  });
  const double all = rate_of([&](std::size_t i) {
    const User user = user_of(ids[i % kUsers], i);
    enabled += Decider(datafile, user).decide_all().size();
  });
  const std::string name = path.stem().string();
  fmt::print("{}\tload\t{:.2f}\t{} octets, {} flags\n",
             name,
             1000 / load_ms,
             content.size(),
             datafile.flags.size());
  fmt::print("{}\tone flag\t{:.0f}\t{:.0f} ns each\n", name, one, 1e9 / one);
  fmt::print("{}\tall flags\t{:.0f}\t{:.1f} us each\n", name, all, 1e6 / all);
  return enabled == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  int failed = argc < 2 ? 2 : 0;
  for (int i = 1; i < argc; ++i) {
    failed |= measure(argv[i]);
  }
  return failed;
}
