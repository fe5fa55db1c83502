// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace edge::events {

/// What a User-Agent text says about its sender; empty texts where it says nothing.
struct UserAgent {
  std::string_view browser = {};  ///< `Chrome`, `Safari`, …
  std::string browser_version = {};
  std::string_view os = {};  ///< `Windows`, `macOS`, `iOS`, `Android`, `Chrome OS`, `Linux`
  std::string os_version = {};
  std::string_view device = {};  ///< `bot`, `tablet`, `mobile`, `desktop`
  std::string_view bot = {};     ///< the word that shows a robot
};

/// Reads a User-Agent text by the table of events spec 3 (vectors: user-agents.json). Never fails.
UserAgent read_user_agent(std::string_view text);

}  // namespace edge::events
