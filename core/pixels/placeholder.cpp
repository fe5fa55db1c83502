// SPDX-License-Identifier: MIT
#include "core/pixels/placeholder.h"

#include <algorithm>
#include <array>

#include "core/encoding/percent.h"
#include "core/pixels/identifier.h"

namespace edge::pixels {
namespace {

constexpr std::array<std::string_view, 8> kMarks{"{{", "}}", "*|", "|*", "%%", "[[", "<%", "${"};

}  // namespace

bool holds_placeholder(std::string_view text) {
  return std::ranges::any_of(
      kMarks, [text](std::string_view mark) { return text.find(mark) != std::string_view::npos; });
}

std::string filled_in_recipient(std::string_view query) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (!pair.starts_with("r=")) {
      continue;
    }
    auto recipient = encoding::percent_decode(pair.substr(2));
    const bool good = recipient && is_identifier(*recipient) && !holds_placeholder(*recipient) &&
                      *recipient != "*";
    return good ? std::move(*recipient) : std::string();
  }
  return {};
}

}  // namespace edge::pixels
