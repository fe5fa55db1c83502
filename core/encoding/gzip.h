// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace edge::encoding {

/// Packs octets as one gzip stream (RFC 1952), fast rather than small. At most 2 GiB.
std::string gzip_encode(std::string_view octets);

}  // namespace edge::encoding
