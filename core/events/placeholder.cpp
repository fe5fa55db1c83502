// SPDX-License-Identifier: MIT
#include "core/events/placeholder.h"

#include <strings.h>

#include <algorithm>
#include <array>

namespace edge::events {
namespace {

constexpr std::array<std::string_view, 16> kPlaceholders = {"anonymous",
                                                            "anon",
                                                            "nil",
                                                            "none",
                                                            "null",
                                                            "n/a",
                                                            "na",
                                                            "undefined",
                                                            "unknown",
                                                            "<nil>",
                                                            "true",
                                                            "false",
                                                            "[]",
                                                            "{}",
                                                            "lmy47d",
                                                            "-1"};

}  // namespace

bool is_placeholder(std::string_view text) {
  return text.find_first_not_of("0-") == std::string_view::npos ||
         std::ranges::any_of(kPlaceholders, [text](std::string_view word) {
           return word.size() == text.size() &&
                  strncasecmp(word.data(), text.data(), text.size()) == 0;
         });
}

}  // namespace edge::events
