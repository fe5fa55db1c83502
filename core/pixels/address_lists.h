// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/transport/address.h"

namespace edge::pixels {

/// The operator's lists of addresses (identity spec 1.11), in the order in which rules try them.
enum class AddressList : std::uint8_t { Self, Prefetch, Proxy, Scanner };
inline constexpr std::size_t kAddressLists = 4;
std::string_view name_of(AddressList list);
std::optional<AddressList> address_list_of(std::string_view name);

/// One bit per `AddressList`.
using ListSet = std::bitset<kAddressLists>;

/// Networks by list, for look-ups in logarithmic time. Immutable.
class AddressLists {
 public:
  using Files = std::array<std::vector<std::filesystem::path>, kAddressLists>;

  AddressLists() = default;

  /// Reads files of one network in CIDR form or one address per line; `#` begins a comment.
  /// Failure: InvalidArgument naming file and line, or the file that cannot be read.
  static Result<AddressLists> load(const Files& files);
  /// The same from a text; `name` stands in messages.
  Result<void> add(AddressList list, std::string_view text, std::string_view name);

  [[nodiscard]] ListSet holding(const transport::IpAddress& address) const;

 private:
  using Octets = std::array<std::uint8_t, 16>;  // IPv4 as IPv4-mapped IPv6
  using Range = std::pair<Octets, Octets>;      // first and last address

  std::array<std::vector<Range>, kAddressLists> ranges_;  // each sorted, without overlaps
};

}  // namespace edge::pixels
