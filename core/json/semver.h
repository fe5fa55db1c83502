// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace edge::json {

/// A version text taken apart as in Optimizely's JavaScript SDK 6.6.1 (looser than semver.org: one
/// to three numbers, and a suffix behind `-` or `+` that counts as one more part). Views into the
/// text.
struct Version {
  std::array<std::string_view, 4> parts = {};
  std::uint8_t count = 0;
  bool is_prerelease = false;
  bool is_build = false;
};

/// Nothing when `text` holds white space or anything else than a version.
std::optional<Version> parse_version(std::string_view text);

/// Negative, zero or positive: the user's version against the one of the condition, which also says
/// how many parts are looked at (`2.1.9` equals `2.1`).
int compare_versions(const Version& user, const Version& condition);

}  // namespace edge::json
