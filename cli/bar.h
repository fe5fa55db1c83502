// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace edge::cli {

/// A bar for `share` (0 to 1) of `width` cells, in eighths of a cell; with `ascii` whole `#`.
std::string bar(double share, std::size_t width, bool ascii);

/// `12 345`: groups of three digits.
std::string spaced(std::uint64_t number);

}  // namespace edge::cli
