// SPDX-License-Identifier: MIT
#include "cli/bar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace edge::cli {

std::string bar(double share, std::size_t width, bool ascii) {
  const double cells = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
  if (ascii) {
    return std::string(static_cast<std::size_t>(std::lround(cells)), '#');
  }
  static constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(cells * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) {
    text += "█";
  }
  return text + std::string(kEighths.at(eighths % 8));
}

std::string spaced(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, 1, ' ');
  }
  return text;
}

}  // namespace edge::cli
