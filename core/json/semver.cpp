// SPDX-License-Identifier: MIT
#include "core/json/semver.h"

#include <algorithm>

#include "core/encoding/utf8.h"
#include "core/json/javascript.h"

namespace edge::json {
namespace {

bool holds_space(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (javascript::is_space(encoding::next_code_point(text, position))) {
      return true;
    }
  }
  return false;
}

bool is_number(std::string_view part) {
  return !part.empty() &&
         std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Splits the numbers before the suffix; false when there are none or too many, or one is no
/// number.
bool split_numbers(std::string_view prefix, Version& version) {
  while (true) {
    const std::size_t dot = prefix.find('.');
    const std::string_view part = prefix.substr(0, dot);
    if (version.count == 3 || !is_number(part)) {
      return false;
    }
    version.parts[version.count++] = part;
    if (dot == std::string_view::npos) {
      return true;
    }
    prefix.remove_prefix(dot + 1);
  }
}

int compare_text(std::string_view user, std::string_view condition, bool user_pre, bool cond_pre) {
  const int order = encoding::compare_utf16(user, condition);
  if (order < 0) {
    return cond_pre && !user_pre ? 1 : -1;
  }
  if (order > 0) {
    return !cond_pre && user_pre ? -1 : 1;
  }
  return 0;
}

int compare_number(std::string_view user, std::string_view condition) {
  const auto right = javascript::parse_int_or_hex(condition);
  if (!right) {
    return 0;
  }
  const double left = javascript::parse_int(user).value_or(0);
  return left > *right ? 1 : left < *right ? -1 : 0;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  if (holds_space(text)) {
    return std::nullopt;
  }
  const std::size_t minus = text.find('-');
  const std::size_t plus = text.find('+');
  Version version{.is_prerelease = minus < plus, .is_build = plus < minus};
  const std::size_t end = std::min(minus, plus);
  if (!split_numbers(text.substr(0, end), version)) {
    return std::nullopt;
  }
  if (end != std::string_view::npos && end + 1 < text.size()) {
    version.parts[version.count++] = text.substr(end + 1);
  }
  return version;
}

int compare_versions(const Version& user, const Version& condition) {
  for (std::size_t i = 0; i < condition.count; ++i) {
    if (i >= user.count) {
      return condition.is_prerelease || condition.is_build ? 1 : -1;
    }
    const int order =
        is_number(user.parts[i])
            ? compare_number(user.parts[i], condition.parts[i])
            : compare_text(
                  user.parts[i], condition.parts[i], user.is_prerelease, condition.is_prerelease);
    if (order != 0) {
      return order;
    }
  }
  return user.is_prerelease && !condition.is_prerelease ? -1 : 0;
}

}  // namespace edge::json
