// SPDX-License-Identifier: MIT
#include "core/crypto/murmur3.h"

#include <bit>
#include <cstddef>

namespace edge::crypto {
namespace {

constexpr std::uint32_t kC1 = 0xcc9e2d51;
constexpr std::uint32_t kC2 = 0x1b873593;

std::uint32_t scramble(std::uint32_t block) {
  return std::rotl(block * kC1, 15) * kC2;
}

}  // namespace

std::uint32_t murmur3_32(std::string_view first, std::string_view second, std::uint32_t seed) {
  std::uint32_t hash = seed;
  std::uint32_t block = 0;
  unsigned filled = 0;
  for (const std::string_view part : {first, second}) {
    for (const char c : part) {
      block |= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << (8 * filled);
      if (++filled == 4) {
        hash = std::rotl(hash ^ scramble(block), 13) * 5 + 0xe6546b64;
        block = 0;
        filled = 0;
      }
    }
  }
  hash ^= scramble(block);
  hash ^= static_cast<std::uint32_t>(first.size() + second.size());
  hash ^= hash >> 16U;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13U;
  hash *= 0xc2b2ae35;
  hash ^= hash >> 16U;
  return hash;
}

}  // namespace edge::crypto
