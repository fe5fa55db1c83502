// SPDX-License-Identifier: MIT
#pragma once

#include <sys/random.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <stdexcept>

namespace edge {

__extension__ using Wide = unsigned __int128;

/// Source of random octets. `SystemRandom` is fit for secrets; tests pass a seeded one.
class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  Random(Random&&) = delete;
  Random& operator=(Random&&) = delete;
  virtual ~Random() = default;

  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint64_t next() {
    std::uint64_t value = 0;
    fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }
  /// Uniform in [0, bound); `bound` > 0.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64U);
  }
};

/// The kernel's generator. Thread-safe.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got <= 0) {
        throw std::runtime_error("the kernel gave no random octets");
      }
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }
};

/// Repeatable octets from a seed, for tests and simulations; never for secrets. One thread only.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (auto& octet : out) {
      octet = static_cast<std::uint8_t>(engine_());
    }
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace edge
