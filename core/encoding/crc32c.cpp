// SPDX-License-Identifier: MIT
// Every stored value is summed when written and when read, and the plain loop over single octets
// took as long as the insertion of a record. So eight octets at a time: by the processor's own
// instruction where it has one (x86-64 since 2008, but Debian's baseline is older), else by eight
// table look-ups.
#include "core/encoding/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace edge::encoding {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    tables[0][i] = value;
  }
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      tables[t][i] = (tables[t - 1][i] >> 8U) ^ tables[0][tables[t - 1][i] & 0xFFU];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();
static_assert(std::endian::native == std::endian::little,
              "the eight-octet step reads little-endian words");

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t sum_by_instruction(std::string_view octets,
                                                                   std::uint32_t before) {
  std::uint64_t sum = before;
  const char* at = octets.data();
  std::size_t left = octets.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    sum = __builtin_ia32_crc32di(sum, word);
  }
  auto rest = static_cast<std::uint32_t>(sum);
  for (; left > 0; --left, ++at) {
    rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*at));
  }
  return rest;
}

const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

std::uint32_t crc32c(std::string_view octets, std::uint32_t before) {
#if defined(__x86_64__)
  if (kHasInstruction) {
    return ~sum_by_instruction(octets, ~before);
  }
#endif
  return crc32c_by_tables(octets, before);
}

std::uint32_t crc32c_by_tables(std::string_view octets, std::uint32_t before) {
  std::uint32_t sum = ~before;
  const char* at = octets.data();
  std::size_t left = octets.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= sum;
    sum = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      sum ^= kTables[7 - i][(word >> (8 * i)) & 0xFFU];
    }
  }
  for (; left > 0; --left, ++at) {
    sum = (sum >> 8U) ^ kTables[0][(sum ^ static_cast<unsigned char>(*at)) & 0xFFU];
  }
  return ~sum;
}

}  // namespace edge::encoding
