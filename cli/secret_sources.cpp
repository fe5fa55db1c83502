// SPDX-License-Identifier: MIT
#include "cli/secret_sources.h"

#include <fmt/format.h>

#include <set>

#include "core/config/load.h"
#include "core/json/document.h"

namespace edge::cli {
namespace {

constexpr const char* kFixedNames[] = {  // NOLINT(modernize-avoid-c-arrays): a list of literals
    "API_KEYS",
    "CDP_ENDPOINTS",
    "EDGE_KEY_PASSPHRASE",
    "EDGE_PIXEL_KEYS",
    "JWT_SECRET",
    "OPTIMIZELY_SDK_KEY",
    "WEBHOOK_ENDPOINTS"};

void add_named(const std::vector<config::Item>& items,
               std::string_view member,
               std::set<std::string>& names) {
  for (const config::Item& item : items) {
    const auto document = json::Document::parse(item.json, json::kStrict);
    const auto value = document ? document->root().find(member) : std::nullopt;
    if (value && value->as_string()) {
      names.emplace(*value->as_string());
    }
  }
}

}  // namespace

config::Secrets open_secrets(const Call& call) {
  return config::Secrets({.store = config::find_data_dir(call.config_sources()) / "secrets"});
}

std::vector<SecretState> secret_states(Call& call) {
  const config::Secrets secrets = open_secrets(call);
  std::set<std::string> names(std::begin(kFixedNames), std::end(kFixedNames));
  add_named(call.config().destinations, "secret", names);
  if (const auto stored = secrets.names()) {
    names.insert(stored->begin(), stored->end());
  }
  std::vector<SecretState> states;
  for (const std::string& name : names) {
    const auto found = secrets.find(name);
    if (!found) {
      states.push_back({name, fmt::format("(unusable: {})", found.error().message), ""});
    } else if (!*found) {
      states.push_back({name, "(unset)", ""});
    } else {
      const std::string origin = config::name_of((*found)->origin);
      states.push_back({name, fmt::format("(set: {})", origin), origin});
    }
  }
  return states;
}

}  // namespace edge::cli
