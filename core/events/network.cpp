// SPDX-License-Identifier: MIT
#include "core/events/network.h"

#include <algorithm>
#include <array>

namespace edge::events {
namespace {

using transport::IpAddress;

IpAddress folded(const IpAddress& address) {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!address.is_v6 || !std::equal(kMapped.begin(), kMapped.end(), address.octets.begin())) {
    return address;
  }
  IpAddress v4;
  std::copy(address.octets.begin() + 12, address.octets.end(), v4.octets.begin());
  return v4;
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  return from == std::string_view::npos
             ? std::string_view{}
             : text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

}  // namespace

std::optional<IpAddress> parse_address(std::string_view text) {
  text = without_blanks(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || (end + 1 < text.size() && text[end + 1] != ':')) {
      return std::nullopt;
    }
    text = text.substr(1, end - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  const auto address = transport::parse_ip(text);
  return address ? std::optional(folded(*address)) : std::nullopt;
}

std::optional<std::string> anonymise(std::string_view address, IpMode mode) {
  if (mode == IpMode::None) {
    return std::nullopt;
  }
  auto parsed = parse_address(address);
  if (!parsed) {
    return std::nullopt;
  }
  if (mode == IpMode::Truncate) {
    const std::size_t kept = parsed->is_v6 ? 6 : 3;
    std::fill(parsed->octets.begin() + static_cast<std::ptrdiff_t>(kept),
              parsed->octets.end(),
              std::uint8_t{0});
  }
  return transport::to_text(*parsed);
}

IpMode tightened(IpMode mode, std::string_view policy) {
  if (policy == "none" || policy == "remove") {
    return IpMode::None;
  }
  const bool truncate = policy == "truncate" || policy == "stripLastOctet";
  return truncate ? std::max(mode, IpMode::Truncate) : mode;
}

}  // namespace edge::events
