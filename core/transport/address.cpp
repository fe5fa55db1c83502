// SPDX-License-Identifier: MIT
#include "core/transport/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace edge::transport {
namespace {

struct Range {
  std::array<std::uint8_t, 16> base;
  int bits;
};

constexpr Range v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, int bits) {
  return {{a, b, c, 0}, bits};
}
constexpr Range v6(std::uint16_t first, std::uint16_t second, std::uint16_t third, int bits) {
  return {{static_cast<std::uint8_t>(first >> 8U),
           static_cast<std::uint8_t>(first & 0xFFU),
           static_cast<std::uint8_t>(second >> 8U),
           static_cast<std::uint8_t>(second & 0xFFU),
           static_cast<std::uint8_t>(third >> 8U),
           static_cast<std::uint8_t>(third & 0xFFU)},
          bits};
}

/// Everything of IPv4 that is not global unicast.
constexpr std::array kNotGlobal4{
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    v4(192, 88, 99, 24),
    v4(192, 168, 0, 16),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
};
/// Parts of 2000::/3 that are not: IETF protocols (Teredo with them) and documentation.
constexpr std::array kNotGlobal6{
    v6(0x2001, 0, 0, 23), v6(0x2001, 0x0db8, 0, 32), v6(0x3fff, 0, 0, 20)};
constexpr Range kUnicast6 = v6(0x2000, 0, 0, 3);
constexpr Range kSixToFour = v6(0x2002, 0, 0, 16);
constexpr Range kNat64 = v6(0x0064, 0xff9b, 0, 96);
constexpr Range kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};

bool matches(const std::uint8_t* address, const std::uint8_t* base, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(address, base, whole) != 0) {
    return false;
  }
  const int rest = bits % 8;
  if (rest == 0) {
    return true;
  }
  const auto mask = static_cast<std::uint8_t>(0xFFU << static_cast<unsigned>(8 - rest));
  return (address[whole] & mask) == (base[whole] & mask);
}

bool in(const IpAddress& address, const Range& range) {
  return matches(address.octets.data(), range.base.data(), range.bits);
}

IpAddress embedded_v4(const IpAddress& address, std::size_t at) {
  IpAddress result;
  std::copy_n(address.octets.begin() + static_cast<std::ptrdiff_t>(at), 4, result.octets.begin());
  return result;
}

IpAddress folded(const IpAddress& address) {
  return address.is_v6 && in(address, kMapped) ? embedded_v4(address, 12) : address;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) {
    return std::nullopt;
  }
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.octets.data()) == 1) {
    return address;
  }
  address.is_v6 = true;
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

Result<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = parse_ip(text.substr(0, slash));
  const int longest = base && base->is_v6 ? 128 : 32;
  int bits = longest;
  bool good = base.has_value();
  if (good && slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    good = error == std::errc{} && end == digits.data() + digits.size() && bits >= 0 &&
           bits <= longest;
  }
  if (!good) {
    return Failure({ErrorCode::InvalidArgument,
                    "\"" + std::string(text) + "\" is no network in CIDR notation"});
  }
  return Network{*base, bits};
}

std::string to_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(
      address.is_v6 ? AF_INET6 : AF_INET, address.octets.data(), buffer.data(), buffer.size());
  return buffer.data();
}

bool contains(const Network& network, const IpAddress& address) {
  const IpAddress plain = folded(address);
  return plain.is_v6 == network.base.is_v6 &&
         matches(plain.octets.data(), network.base.octets.data(), network.bits);
}

bool is_global(const IpAddress& address) {
  const IpAddress plain = folded(address);
  const auto holds = [&plain](const Range& range) { return in(plain, range); };
  if (!plain.is_v6) {
    return std::none_of(kNotGlobal4.begin(), kNotGlobal4.end(), holds);
  }
  if (in(plain, kNat64)) {
    return is_global(embedded_v4(plain, 12));
  }
  if (in(plain, kSixToFour)) {
    return is_global(embedded_v4(plain, 2));
  }
  return in(plain, kUnicast6) && std::none_of(kNotGlobal6.begin(), kNotGlobal6.end(), holds);
}

}  // namespace edge::transport
