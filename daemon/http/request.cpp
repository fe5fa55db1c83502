// SPDX-License-Identifier: MIT
#include "daemon/http/request.h"

#include <algorithm>
#include <array>

#include "core/encoding/percent.h"

namespace edge::http {
namespace {

constexpr std::array<std::string_view, kMethods> kNames = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"};

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

std::string_view name_of(Method method) {
  return kNames[static_cast<std::size_t>(method)];
}

std::optional<Method> method_of(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    return std::nullopt;
  }
  return static_cast<Method>(found - kNames.begin());
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<std::string> Request::query_value(std::string_view name) const {
  for (auto& [key, value] : encoding::parse_form(parts_.query)) {
    if (key == name) {
      return std::move(value);
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Field& field : parts_.fields) {
    if (equals_ignoring_case(field.name, name)) {
      return field.value;
    }
  }
  return std::nullopt;
}

std::size_t Request::count_header(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      parts_.fields, [&](const Field& field) { return equals_ignoring_case(field.name, name); }));
}

std::string_view Request::param(std::string_view name) const {
  for (const Param& param : parts_.params) {
    if (param.name == name) {
      return param.value;
    }
  }
  return {};
}

}  // namespace edge::http
