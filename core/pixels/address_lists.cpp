// SPDX-License-Identifier: MIT
#include "core/pixels/address_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace edge::pixels {
namespace {

constexpr std::array<std::string_view, kAddressLists> kNames{
    "self", "prefetch", "proxy", "scanner"};
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20U;

using Octets = std::array<std::uint8_t, 16>;

Octets mapped(const transport::IpAddress& address) {
  if (address.is_v6) {
    return address.octets;
  }
  Octets octets{};
  octets[10] = 0xFF;
  octets[11] = 0xFF;
  std::copy_n(address.octets.begin(), 4, octets.begin() + 12);
  return octets;
}

/// First and last address of a network.
std::pair<Octets, Octets> range_of(const transport::Network& network) {
  const int bits = network.base.is_v6 ? network.bits : network.bits + 96;
  std::pair<Octets, Octets> range{mapped(network.base), mapped(network.base)};
  for (int bit = bits; bit < 128; ++bit) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const auto mask = static_cast<std::uint8_t>(0x80U >> static_cast<unsigned>(bit % 8));
    range.first[at] = static_cast<std::uint8_t>(range.first[at] & ~mask);
    range.second[at] = static_cast<std::uint8_t>(range.second[at] | mask);
  }
  return range;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::string_view name_of(AddressList list) {
  return kNames[static_cast<std::size_t>(list)];
}

std::optional<AddressList> address_list_of(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  return found == kNames.end() ? std::nullopt
                               : std::optional(static_cast<AddressList>(found - kNames.begin()));
}

Result<void> AddressLists::add(AddressList list, std::string_view text, std::string_view name) {
  std::vector<Range>& ranges = ranges_[static_cast<std::size_t>(list)];
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view entry = trim(whole.substr(0, whole.find('#')));
    if (entry.empty()) {
      continue;
    }
    const auto network = transport::parse_network(entry);
    if (!network) {
      return Failure(
          {ErrorCode::InvalidArgument,
           fmt::format(
               "{}:{}: \"{:.64}\" is no address or network in CIDR form", name, line, entry),
           std::string(name)});
    }
    ranges.push_back(range_of(*network));
  }
  std::ranges::sort(ranges);
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().second) {
      joined.back().second = std::max(joined.back().second, range.second);
    } else {
      joined.push_back(range);
    }
  }
  ranges = std::move(joined);
  return {};
}

Result<AddressLists> AddressLists::load(const Files& files) {
  AddressLists lists;
  for (std::size_t i = 0; i < kAddressLists; ++i) {
    for (const auto& path : files[i]) {
      std::error_code error;
      const auto size = std::filesystem::file_size(path, error);
      std::ifstream stream(path, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(stream), {}};
      if (error || size > kMaxFileBytes || !stream.is_open() || stream.bad()) {
        return Failure({ErrorCode::InvalidArgument,
                        fmt::format("cannot read the address list {}", path.string()),
                        fmt::format("pixel.lists.{}", kNames[i])});
      }
      if (auto added = lists.add(static_cast<AddressList>(i), text, path.string()); !added) {
        return Failure(added.error());
      }
    }
  }
  return lists;
}

ListSet AddressLists::holding(const transport::IpAddress& address) const {
  const Octets octets = mapped(address);
  ListSet found;
  for (std::size_t i = 0; i < kAddressLists; ++i) {
    const auto behind = std::ranges::upper_bound(
        ranges_[i], octets, std::less<>{}, [](const Range& range) { return range.first; });
    found[i] = behind != ranges_[i].begin() && octets <= std::prev(behind)->second;
  }
  return found;
}

}  // namespace edge::pixels
