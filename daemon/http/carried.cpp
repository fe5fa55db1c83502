// SPDX-License-Identifier: MIT
#include "daemon/http/carried.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace edge::http {
namespace {

constexpr std::array<std::string_view, kSurfaces> kNames = {
    "seed", "tracking", "odp", "agent", "ofrep", "v4", "s3", "sites", "console"};
/// The groups of identity spec 4.5.
constexpr std::array<std::string_view, 11> kGroups = {"track",
                                                      "pixel",
                                                      "optimizely",
                                                      "cdp",
                                                      "auth",
                                                      "admin",
                                                      "webhook",
                                                      "realtime",
                                                      "api",
                                                      "health",
                                                      "metrics"};

constexpr unsigned bit(Surface surface) {
  return 1U << static_cast<unsigned>(surface);
}

}  // namespace

Result<Carried> Carried::parse(std::span<const std::string> names) {
  Carried carried;
  carried.everything_ = names.empty();
  for (const std::string& name : names) {
    const auto* const surface = std::ranges::find(kNames, name);
    if (surface != kNames.end()) {
      carried.surfaces_ |= 1U << static_cast<unsigned>(surface - kNames.begin());
    } else if (std::ranges::find(kGroups, name) != kGroups.end()) {
      carried.groups_.push_back("/" + name);
    } else {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("\"{}\" is no surface; there are {} and, of seed, {}",
                                  name,
                                  fmt::join(kNames, ", "),
                                  fmt::join(kGroups, ", ")),
                      "server.listeners"});
    }
  }
  return carried;
}

bool Carried::holds(const Route& route) const {
  if (everything_ || (surfaces_ & bit(route.options.surface)) != 0) {
    return true;
  }
  const std::string_view pattern = route.pattern;
  const std::string_view group = pattern.substr(0, pattern.find('/', 1));
  return route.options.surface == Surface::Seed && std::ranges::count(groups_, group) > 0;
}

}  // namespace edge::http
