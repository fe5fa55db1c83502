// SPDX-License-Identifier: MIT
// The `[[cors]]` tables of the configuration (identity spec 4.3).
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/json/document.h"
#include "daemon/server_config.h"

namespace edge {
namespace {

constexpr std::string_view kPatternPrefix = "https://*.";
constexpr int kLongestMaxAge = 86'400;

Error wrong(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), "cors", "bad_setting"};
}

/// What a member must be when it is wrong, else nothing.
std::optional<std::string_view> take(CorsRule& rule, std::string_view name, json::Value value) {
  std::vector<std::string>* list = name == "routes"    ? &rule.routes
                                   : name == "origins" ? &rule.origins
                                   : name == "methods" ? &rule.methods
                                   : name == "headers" ? &rule.headers
                                   : name == "expose"  ? &rule.expose
                                                       : nullptr;
  if (list != nullptr) {
    list->clear();
    for (const json::Value element : value.elements()) {
      const std::string_view text = element.as_string().value_or("");
      if (text.empty() || text.find_first_of("\r\n") != std::string_view::npos) {
        return "must be a list of texts";
      }
      list->emplace_back(text);
    }
    return value.is_array() ? std::nullopt : std::optional<std::string_view>("must be a list");
  }
  if (name == "credentials") {
    rule.credentials = value.as_bool().value_or(false);
    return value.is_bool() ? std::nullopt
                           : std::optional<std::string_view>("must be true or false");
  }
  if (name == "max_age") {
    const auto seconds = value.as_int64().value_or(-1);
    rule.max_age = seconds >= 0 && seconds <= kLongestMaxAge ? static_cast<int>(seconds) : -1;
    return rule.max_age >= 0 ? std::nullopt
                             : std::optional<std::string_view>("must be 0 to 86400 seconds");
  }
  return "is no setting of a CORS rule";
}

bool is_origin(std::string_view origin) {
  const bool is_pattern = origin.find('*') != std::string_view::npos;
  return origin == "*" ||
         (origin.find("://") != std::string_view::npos && !origin.ends_with('/') &&
          (!is_pattern || (origin.starts_with(kPatternPrefix) &&
                           origin.find('*', kPatternPrefix.size()) == std::string_view::npos)));
}

}  // namespace

Result<void> CorsRule::check() const {
  const bool has_star = std::ranges::count(origins, "*") > 0;
  if (has_star && (credentials || origins.size() > 1)) {
    return Failure(wrong("origins \"*\" goes neither with credentials nor with other origins"));
  }
  if (max_age < 0 || max_age > kLongestMaxAge) {
    return Failure(wrong("max_age must be 0 to 86400"));
  }
  for (const std::string& origin : origins) {
    if (!is_origin(origin)) {
      return Failure(wrong(fmt::format(
          "\"{}\" is no origin such as https://app.example.com or https://*.example.com", origin)));
    }
  }
  return {};
}

bool CorsRule::names(std::string_view pattern) const {
  return std::ranges::any_of(routes, [&](std::string_view route) {
    return route.ends_with('*') ? pattern.starts_with(route.substr(0, route.size() - 1))
                                : pattern == route;
  });
}

Result<std::vector<CorsRule>> read_cors(const std::vector<config::Item>& items) {
  std::vector<CorsRule> rules;
  for (const config::Item& item : items) {
    const auto document = json::Document::parse(item.json, json::kStrict);
    if (!document || !document->root().is_object()) {
      return Failure(wrong(item.where + ": a CORS rule is a table"));
    }
    CorsRule rule;
    for (const auto& [name, value] : document->root().members()) {
      if (const auto problem = take(rule, name, value)) {
        return Failure(wrong(fmt::format("{}: cors {} {}", item.where, name, *problem)));
      }
    }
    if (const auto checked = rule.check(); !checked) {
      Error error = checked.error();
      error.message = fmt::format("{}: cors {}", item.where, error.message);
      return Failure(std::move(error));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace edge
