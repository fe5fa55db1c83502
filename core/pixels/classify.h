// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace edge::pixels {

/// Who fetched a pixel (identity spec 1.11). Human and proxy count as human; prefetch, scanner and
/// bot as machine; self is not counted.
enum class OpenClass : std::uint8_t { Human, Proxy, Prefetch, Scanner, Bot, Self };
std::string_view name_of(OpenClass open_class);

/// What a request for an image tells about who sent it. Absent fields are empty.
struct OpenRequest {
  std::string_view method = "GET";
  std::string_view user_agent = {};
  std::string_view sec_purpose = {};
  std::string_view purpose = {};
  std::string_view x_purpose = {};
  std::string_view x_moz = {};
  std::string_view address_list =
      {};  ///< name of the operator's list that holds the client, or empty
  std::optional<std::int64_t> seconds_since_sent = {};
  std::int64_t min_human_seconds = 0;  ///< 0 = off
};

struct OpenVerdict {
  OpenClass open_class = OpenClass::Human;
  std::string_view rule = "default";  ///< id of the rule that decided
  [[nodiscard]] bool is_machine() const {
    return open_class == OpenClass::Prefetch || open_class == OpenClass::Scanner ||
           open_class == OpenClass::Bot;
  }
};

/// Applies the default rules in order, the first that fits decides (golden data: open_rules.json).
OpenVerdict classify(const OpenRequest& request);

}  // namespace edge::pixels
