// SPDX-License-Identifier: MIT
// Access tokens per second on one thread: mint and verify, HS256 and EdDSA (identity spec 8).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "core/base/random.h"
#include "core/tokens/issuer.h"

namespace edge {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown processor";
}

template <typename Operation>
void measure(const char* name, std::size_t octets, const Operation& operation) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t done = 0;
  std::chrono::duration<double> taken{};
  while (taken.count() < 1.0) {
    for (int i = 0; i < 100; ++i) {
      operation();
    }
    done += 100;
    taken = std::chrono::steady_clock::now() - begin;
  }
  std::printf("%-14s %9.0f per second, token of %zu octets\n",
              name,
              static_cast<double>(done) / taken.count(),
              octets);
}

void run(const char* name, tokens::SigningKeys keys) {
  const SystemClock clock;
  SystemRandom random;
  Ids ids(random);
  const tokens::Issuer issuer(std::move(keys), {}, clock, ids);
  const tokens::Subject subject{.account = {"8f6f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a11"},
                                .session = {"6a5f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a12"},
                                .email = "ada@example.com",
                                .name = "Ada",
                                .roles = {"admin"}};
  const std::string token = issuer.mint(subject);
  measure((std::string(name) + " mint").c_str(), token.size(), [&] { (void)issuer.mint(subject); });
  measure((std::string(name) + " verify").c_str(), token.size(), [&] {
    if (!issuer.verify(token)) {
      std::abort();
    }
  });
}

int run_all() {
  std::printf("%s\n", processor().c_str());
  const SystemClock clock;
  run("HS256", *tokens::SigningKeys::of_secret("0123456789abcdef0123456789abcdef"));
  for (const auto& [name, kind] :
       {std::pair{"EdDSA", crypto::KeyKind::Ed25519}, {"ES256", crypto::KeyKind::P256}}) {
    tokens::KeyRing ring;
    if (!ring.add(tokens::plain_key(*crypto::Key::generate(kind)), clock.now())) {
      return 1;
    }
    run(name, *tokens::SigningKeys::of_ring(ring, clock.now()));
  }
  return 0;
}

}  // namespace
}  // namespace edge

int main() {
  return edge::run_all();
}
