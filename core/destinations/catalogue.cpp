// SPDX-License-Identifier: MIT
#include "core/destinations/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/destinations/mask.h"

namespace edge::destinations {
namespace {

Error bad_setting(std::string_view name, std::string_view problem) {
  return {ErrorCode::InvalidArgument,
          fmt::format("the setting \"{}\" {}", name, problem),
          fmt::format("/config/{}", name)};
}

bool fits(const Setting& setting, json::Value value) {
  switch (setting.kind) {
    case Setting::Kind::Text:
      return value.is_string() || (setting.secret && names_secret(value));
    case Setting::Kind::Number:
      return value.as_int64().has_value() && *value.as_int64() >= 0;
    case Setting::Kind::Boolean:
      return value.is_bool();
    case Setting::Kind::Object:
      return value.is_object();
    case Setting::Kind::Texts:
      break;
  }
  const auto is_text = [&](json::Value item) {
    return item.is_string() || (setting.secret && names_secret(item));
  };
  bool all = value.is_array();
  for (const json::Value item : value.elements()) {
    all = all && is_text(item);
  }
  return all || is_text(value);
}

std::string_view wanted(Setting::Kind kind) {
  switch (kind) {
    case Setting::Kind::Number:
      return "must be a whole number";
    case Setting::Kind::Boolean:
      return "must be true or false";
    case Setting::Kind::Object:
      return "must be an object";
    case Setting::Kind::Texts:
      return "must be a text or a list of texts";
    case Setting::Kind::Text:
      break;
  }
  return "must be a text";
}

Result<void> check(const Type& type, json::Value config) {
  for (const auto& [name, value] : config.members()) {
    const Setting* declared = type.find_setting(name);
    if (declared == nullptr) {
      return Failure(bad_setting(name, fmt::format("is not known for {}", type.name)));
    }
    if (!fits(*declared, value)) {
      return Failure(bad_setting(name, wanted(declared->kind)));
    }
    const auto& choices = declared->choices;
    if (!choices.empty() && std::ranges::find(choices, *value.as_string()) == choices.end()) {
      return Failure(bad_setting(name, fmt::format("must be one of {}", fmt::join(choices, ", "))));
    }
  }
  for (const Setting& setting : type.settings) {
    if (setting.required && !config.find(setting.name)) {
      return Failure(bad_setting(setting.name, "is required"));
    }
  }
  return {};
}

bool looks_secret(std::string_view header) {
  Request probe{.headers = {{std::string(header), "x"}}};
  std::ranges::transform(probe.headers[0].first, probe.headers[0].first.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  mask(probe);
  return probe.headers[0].second != "x";
}

void write_headers(json::Writer& out, json::Value headers) {
  out.begin_object();
  for (const auto& [name, value] : headers.members()) {
    out.key(name);
    if (looks_secret(name) || !value.is_string()) {
      out.string("(set)");
    } else {
      out.value(value);
    }
  }
  out.end_object();
}

}  // namespace

bool names_secret(json::Value value) {
  const auto name = value.find("secret");
  return value.size() == 1 && name && name->is_string();
}

Result<std::string> Settings::resolve(json::Value value) const {
  if (const auto text = value.as_string()) {
    return std::string(*text);
  }
  const auto name = value.find("secret");
  const std::string wanted_name(name ? name->as_string().value_or("") : "");
  auto found = secrets_ ? secrets_(wanted_name) : std::nullopt;
  if (!found) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("there is no secret \"{0}\"; make it with: edgectl secret set {0}",
                                wanted_name),
                    "/config",
                    "secret_missing"});
  }
  return std::move(*found);
}

Result<std::string> Settings::text(std::string_view name, std::string fallback) const {
  const auto value = config_.find(name);
  return value ? resolve(*value) : Result<std::string>(std::move(fallback));
}

bool Settings::is_on(std::string_view name) const {
  const auto value = config_.find(name);
  return value && value->as_bool().value_or(false);
}

std::int64_t Settings::number(std::string_view name, std::int64_t fallback) const {
  const auto value = config_.find(name);
  return value ? value->as_int64().value_or(fallback) : fallback;
}

std::vector<std::string> Settings::texts(std::string_view name) const {
  std::vector<std::string> texts;
  if (const auto value = config_.find(name)) {
    for (const json::Value item : value->elements()) {
      texts.emplace_back(item.as_string().value_or(""));
    }
    if (const auto text = value->as_string()) {
      texts.emplace_back(*text);
    }
  }
  return texts;
}

Result<std::size_t> Settings::batch(std::size_t fallback, std::int64_t most) const {
  const std::int64_t batch = number("batch", static_cast<std::int64_t>(fallback));
  if (batch < 1 || batch > most) {
    return Failure(bad_setting("batch", fmt::format("must be a number from 1 to {}", most)));
  }
  return static_cast<std::size_t>(batch);
}

const Setting* Type::find_setting(std::string_view name_or_other) const {
  const auto found = std::ranges::find_if(settings, [&](const Setting& setting) {
    return setting.name == name_or_other ||
           std::ranges::find(setting.also, name_or_other) != setting.also.end();
  });
  return found == settings.end() ? nullptr : &*found;
}

Catalogue::Catalogue() {
  register_types(*this);
}

const Type* Catalogue::find(std::string_view name) const {
  const auto found = std::ranges::find_if(types_, [&](const Type& type) {
    return type.name == name || (!type.also.empty() && type.also == name);
  });
  return found == types_.end() ? nullptr : &*found;
}

Result<std::unique_ptr<Destination>> Catalogue::make(const Type& type,
                                                     json::Value config,
                                                     const SecretFinder& secrets,
                                                     std::vector<std::string> names) const {
  if (auto checked = check(type, config); !checked) {
    return Failure(checked.error());
  }
  names.insert(names.end(), type.integrations.begin(), type.integrations.end());
  return type.make(Settings(config, secrets, std::move(names)));
}

void write_config(json::Writer& out, const Type& type, json::Value config) {
  out.begin_object();
  for (const auto& [name, value] : config.members()) {
    const Setting* declared = type.find_setting(name);
    out.key(name);
    if (declared != nullptr && declared->secret) {
      out.string("(set)");
    } else if (name == "headers" && value.is_object()) {
      write_headers(out, value);
    } else if (name == "url" && value.is_string()) {
      out.string(masked_url(*value.as_string()));
    } else {
      out.value(value);
    }
  }
  out.end_object();
}

}  // namespace edge::destinations
