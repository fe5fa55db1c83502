// SPDX-License-Identifier: MIT
#include "core/destinations/dedupe_window.h"

namespace edge::destinations {

std::optional<std::chrono::hours> dedupe_window(std::string_view type) {
  if (type == "segment") {
    return std::chrono::hours(24);
  }
  return type == "amplitude" ? std::optional(std::chrono::hours(7 * 24)) : std::nullopt;
}

}  // namespace edge::destinations
