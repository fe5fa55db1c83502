// SPDX-License-Identifier: MIT
#include "core/config/env_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace edge::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> parse_env_file(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> values;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') {
      continue;
    }
    if (line.starts_with("export ")) {
      line = trimmed(line.substr(7));
    }
    const std::size_t equals = line.find('=');
    const std::string_view name = trimmed(line.substr(0, equals));
    const bool plain = std::all_of(name.begin(), name.end(), is_name_character);
    if (equals == std::string_view::npos || name.empty() || !plain) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("line {} of the env file is no NAME=value", number),
                      fmt::format("line {}", number)});
    }
    std::string_view value = trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.front() == value.back()) {
      value = value.substr(1, value.size() - 2);
    }
    values.emplace_back(name, value);
  }
  return values;
}

}  // namespace edge::config
