// SPDX-License-Identifier: MIT
#include "core/crypto/password.h"

#include <sodium.h>

#include <array>
#include <charconv>
#include <new>
#include <optional>
#include <stdexcept>

namespace edge::crypto {
namespace {

constexpr std::string_view kPrefix = "$argon2id$v=19$m=";
constexpr std::size_t kMaxStoredBytes = 256;
constexpr std::uint32_t kMaxMemoryKib = 262144;
constexpr std::uint32_t kMaxPasses = 16;
constexpr std::uint32_t kMaxLanes = 16;

struct Parameters {
  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::uint32_t lanes = 0;
};

/// Takes a number and the text behind it off the front.
std::optional<std::uint32_t> take_number(std::string_view& text, std::string_view behind) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || (digits > 1 && text.front() == '0') ||
      !text.substr(digits).starts_with(behind)) {
    return std::nullopt;
  }
  text.remove_prefix(digits + behind.size());
  return value;
}

/// The parameters of a stored string that we would compute; nothing for any other.
std::optional<Parameters> read_parameters(std::string_view stored) {
  if (!stored.starts_with(kPrefix) || stored.size() > kMaxStoredBytes ||
      stored.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  stored.remove_prefix(kPrefix.size());
  const auto memory = take_number(stored, ",t=");
  const auto passes = memory ? take_number(stored, ",p=") : std::nullopt;
  const auto lanes = passes ? take_number(stored, "$") : std::nullopt;
  if (!lanes || *memory > kMaxMemoryKib || *passes > kMaxPasses || *lanes > kMaxLanes ||
      *memory == 0 || *passes == 0 || *lanes == 0) {
    return std::nullopt;
  }
  return Parameters{*memory, *passes, *lanes};
}

void start_library() {
  if (sodium_init() < 0) {
    throw std::runtime_error("libsodium could not start");
  }
}

}  // namespace

std::string hash_password(std::string_view password, const PasswordCost& cost) {
  start_library();
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};
  if (crypto_pwhash_argon2id_str(text.data(),
                                 password.data(),
                                 password.size(),
                                 cost.passes,
                                 std::size_t{cost.memory_kib} * 1024) != 0) {
    throw std::bad_alloc();
  }
  return text.data();
}

bool verify_password(std::string_view stored, std::string_view password) {
  start_library();
  return read_parameters(stored) &&
         crypto_pwhash_argon2id_str_verify(
             std::string(stored).c_str(), password.data(), password.size()) == 0;
}

bool needs_rehash(std::string_view stored, const PasswordCost& cost) {
  const auto found = read_parameters(stored);
  return !found || found->memory_kib < cost.memory_kib || found->passes < cost.passes ||
         found->lanes != 1;
}

}  // namespace edge::crypto
