// SPDX-License-Identifier: MIT
#include "core/flags/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/json/document.h"

namespace edge::flags {
namespace {

constexpr std::string_view kPlaceholder = "%s";

Error wrong(std::string field, std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field)};
}

bool is_url(std::string_view place) {
  return place.starts_with("https://") || place.starts_with("http://");
}

std::string url_of(const config::Config& config, std::string_view sdk_key) {
  std::string url = config.flags.url;
  return url.replace(url.find(kPlaceholder), kPlaceholder.size(), sdk_key);
}

ProjectSettings project_at(const config::Config& config,
                           std::string sdk_key,
                           const std::string& place) {
  const bool fetched = is_url(place);
  return {.sdk_key = std::move(sdk_key),
          .place = fetched ? place : config.resolve(place).string(),
          .is_url = fetched};
}

std::optional<std::string_view> text_of(json::Value table, std::string_view name) {
  const auto member = table.find(name);
  return member ? member->as_string() : std::nullopt;
}

/// Refuses members that are none of `known`.
Result<void> check_members(json::Value table,
                           std::initializer_list<std::string_view> known,
                           const std::string& where,
                           const std::string& list) {
  for (const auto& [name, value] : table.members()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Failure(wrong(list,
                           fmt::format("{}: unknown key '{}' in [[{}]], there are {}",
                                       where,
                                       name,
                                       list,
                                       fmt::join(known, ", "))));
    }
  }
  return {};
}

Result<ProjectSettings> read_project(const config::Config& config, const config::Item& item) {
  const std::string list = "flags.projects";
  const auto document = json::Document::parse(item.json, json::kApi);
  const json::Value table = document->root();
  if (auto checked = check_members(table, {"sdk_key", "datafile"}, item.where, list); !checked) {
    return Failure(checked.error());
  }
  const auto key = text_of(table, "sdk_key");
  if (!key || !is_sdk_key(*key)) {
    return Failure(wrong(
        list, item.where + ": sdk_key must be a text of letters, digits, '+', '/', '=' and '_'"));
  }
  const auto place = text_of(table, "datafile");
  return project_at(config, std::string(*key), place ? std::string(*place) : url_of(config, *key));
}

Result<WebhookSettings> read_webhook(const config::Item& item) {
  const std::string list = "flags.webhooks";
  const auto document = json::Document::parse(item.json, json::kApi);
  const json::Value table = document->root();
  if (auto checked =
          check_members(table, {"project", "secret", "unsigned", "sdk_keys"}, item.where, list);
      !checked) {
    return Failure(checked.error());
  }
  const auto project = table.find("project");
  const auto number = project ? project->as_int64() : std::nullopt;
  if (!number) {
    return Failure(wrong(list, item.where + ": project must be the number of the project"));
  }
  WebhookSettings webhook{.project = *number,
                          .secret = std::string(text_of(table, "secret").value_or(""))};
  const auto unsigned_too = table.find("unsigned");
  if (webhook.secret.empty() && !(unsigned_too && unsigned_too->as_bool().value_or(false))) {
    return Failure(wrong(list,
                         item.where + ": secret must name the secret that signs, or say "
                                      "unsigned = true"));
  }
  const auto keys = table.find("sdk_keys");
  for (const json::Value key : keys ? keys->elements() : json::Elements{}) {
    webhook.sdk_keys.emplace_back(key.as_string().value_or(""));
  }
  return webhook;
}

Result<std::string> default_key(const config::Config& config, const config::Secrets& secrets) {
  if (!config.flags.sdk_key.empty()) {
    return config.flags.sdk_key;
  }
  const auto found = secrets.find("OPTIMIZELY_SDK_KEY");
  if (!found) {
    return Failure(found.error());
  }
  return *found ? std::string((*found)->value.view()) : std::string();
}

Result<void> add_projects(const config::Config& config, std::string key, Settings& out) {
  const bool is_default_file = config.flags.datafile == config::Flags{}.datafile;
  if (!key.empty() && is_default_file) {
    const std::string url = url_of(config, key);
    out.projects.push_back(project_at(config, std::move(key), url));
  } else {
    out.projects.push_back(project_at(config, std::move(key), config.flags.datafile));
    out.projects.back().may_be_missing = is_default_file;
  }
  for (const config::Item& item : config.projects) {
    auto project = read_project(config, item);
    if (!project) {
      return Failure(project.error());
    }
    out.projects.push_back(*std::move(project));
  }
  std::set<std::string_view> seen;
  for (const ProjectSettings& project : out.projects) {
    if (!seen.insert(project.sdk_key).second) {
      return Failure(
          wrong("flags.projects", fmt::format("SDK key {} is configured twice", project.sdk_key)));
    }
  }
  return {};
}

}  // namespace

bool is_sdk_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '_';
  });
}

Result<Settings> read_settings(const config::Config& config, const config::Secrets& secrets) {
  const std::string& url = config.flags.url;
  const std::size_t place = url.find(kPlaceholder);
  if (!is_url(url) || place == std::string::npos ||
      url.find(kPlaceholder, place + 1) != std::string::npos) {
    return Failure(wrong("flags.url", "flags.url must be a URL that holds %s once"));
  }
  auto key = default_key(config, secrets);
  if (!key) {
    return Failure(key.error());
  }
  if (!key->empty() && !is_sdk_key(*key)) {
    return Failure(
        wrong("flags.sdk_key", "the SDK key may hold letters, digits, '+', '/', '=' and '_' only"));
  }
  Settings out{.any_key = config.flags.any_key.value_or(key->empty() && config.projects.empty()),
               .interval = std::max<std::chrono::milliseconds>(config.flags.interval,
                                                               std::chrono::milliseconds(100))};
  if (!config.cache_dir.empty()) {
    out.cache = config.cache_dir / "datafiles";
  }
  if (auto added = add_projects(config, *std::move(key), out); !added) {
    return Failure(added.error());
  }
  for (const config::Item& item : config.flag_webhooks) {
    auto webhook = read_webhook(item);
    if (!webhook) {
      return Failure(webhook.error());
    }
    out.webhooks.push_back(*std::move(webhook));
  }
  return out;
}

}  // namespace edge::flags
