// SPDX-License-Identifier: MIT
#include "daemon/http/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace edge::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> literal{};
  if (text.size() >= literal.size()) {
    return std::nullopt;
  }
  std::ranges::copy(text, literal.begin());
  Address address;
  if (inet_pton(AF_INET6, literal.data(), address.octets_.data()) == 1) {
    return address;
  }
  std::ranges::copy(kMapped, address.octets_.begin());
  if (inet_pton(AF_INET, literal.data(), address.octets_.data() + kMapped.size()) == 1) {
    return address;
  }
  return std::nullopt;
}

bool Address::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), octets_.begin());
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (is_v4()) {
    inet_ntop(AF_INET, octets_.data() + kMapped.size(), out.data(), out.size());
  } else {
    inet_ntop(AF_INET6, octets_.data(), out.data(), out.size());
  }
  return out.data();
}

std::string Address::limit_key() const {
  const std::size_t size = is_v4() ? octets_.size() : octets_.size() / 2;
  return {reinterpret_cast<const char*>(octets_.data()), size};
}

std::string Address::network_text() const {
  Address network = *this;
  std::fill(network.octets_.begin() + network.octets_.size() / 2, network.octets_.end(), 0);
  return network.text() + "/64";
}

bool Address::is_loopback() const {
  if (is_v4()) {
    return octets_[12] == 127;
  }
  return octets_[15] == 1 &&
         std::all_of(octets_.begin(), octets_.end() - 1, [](auto octet) { return octet == 0; });
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto base = Address::parse(text.substr(0, slash));
  const unsigned width = base && base->is_v4() ? 32 : 128;
  unsigned bits = width;
  const std::string_view digits = text.substr(std::min(slash + 1, text.size()));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool is_number =
      slash == text.size() || (error == std::errc() && end == digits.data() + digits.size());
  if (!base || !is_number || bits > width) {
    return Failure(
        {ErrorCode::InvalidArgument, fmt::format("\"{}\" is no network such as 10.0.0.0/8", text)});
  }
  Network network;
  network.base_ = *base;
  network.bits_ = bits + 128 - width;
  return network;
}

bool Network::holds(const Address& address) const {
  const std::size_t whole = bits_ / 8;
  const unsigned rest = bits_ % 8;
  if (std::memcmp(base_.octets_.data(), address.octets_.data(), whole) != 0) {
    return false;
  }
  const unsigned mask = 0xFF00U >> rest & 0xFFU;
  return rest == 0 || ((base_.octets_[whole] ^ address.octets_[whole]) & mask) == 0;
}

}  // namespace edge::http
