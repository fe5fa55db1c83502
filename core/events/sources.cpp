// SPDX-License-Identifier: MIT
#include "core/events/sources.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/crypto/digest.h"
#include "core/json/document.h"

namespace edge::events {
namespace {

using json::Value;

Error bad_setting(const config::Item& item, std::string_view member, std::string_view what) {
  return {ErrorCode::InvalidArgument,
          (item.where.empty() ? std::string() : item.where + ": ") + "source " +
              std::string(member) + " " + std::string(what),
          "sources." + std::string(member),
          "bad_setting"};
}

/// Takes one member of a `[[sources]]` table; the text says what it must be when it is not.
std::optional<std::string_view> take(Source& source, std::string_view name, Value value) {
  const auto text = value.as_string();
  if (name == "name" || name == "key") {
    if (!text || text->empty()) {
      return "must be a text";
    }
    (name == "name" ? source.name : source.key) = *text;
    return std::nullopt;
  }
  if (name == "kind") {
    for (const Channel channel : {Channel::Server, Channel::Browser, Channel::Mobile}) {
      if (text == name_of(channel)) {
        source.kind = channel;
        return std::nullopt;
      }
    }
    return "must be server, browser or mobile";
  }
  if (name == "ip") {
    const auto mode = ip_mode_of(text.value_or(""));
    source.ip = mode.value_or(IpMode::Truncate);
    return mode ? std::nullopt : std::optional<std::string_view>("must be full, truncate or none");
  }
  if (name == "enabled") {
    source.enabled = value.as_bool().value_or(true);
    return value.is_bool() ? std::nullopt
                           : std::optional<std::string_view>("must be true or false");
  }
  if (name == "rate") {
    const auto rate = read_rate(text.value_or(""));
    source.rate = rate.value_or(Rate{});
    return rate ? std::nullopt
                : std::optional<std::string_view>(
                      "must be requests in a time, such as \"10/s\", \"600/m\" or \"1000/h\"");
  }
  if (name != "origins") {
    return "is no setting of a source";
  }
  for (const Value origin : value.elements()) {
    if (!origin.is_string()) {
      return "must be a list of texts";
    }
    source.origins.emplace_back(*origin.as_string());
  }
  return value.is_array() ? std::nullopt
                          : std::optional<std::string_view>("must be a list of texts");
}

Result<Source> read_source(const config::Item& item, IpMode ip) {
  const auto document = json::Document::parse(item.json, json::kStrict);
  if (!document || !document->root().is_object()) {
    return Failure(bad_setting(item, "table", "is no object"));
  }
  Source source{.name = {}, .ip = ip};
  for (const auto& [name, value] : document->root().members()) {
    if (const auto problem = take(source, name, value)) {
      return Failure(bad_setting(item, name, *problem));
    }
  }
  if (source.key.empty() || source.name.empty()) {
    return Failure(bad_setting(item, source.key.empty() ? "key" : "name", "is missing"));
  }
  return source;
}

}  // namespace

std::optional<Rate> read_rate(std::string_view text) {
  constexpr std::uint64_t kMost = 1'000'000;
  const std::string_view unit = text.substr(std::min(text.find('/'), text.size()));
  Rate rate{.period = std::chrono::seconds{unit == "/s"   ? 1
                                           : unit == "/m" ? 60
                                           : unit == "/h" ? 3'600
                                                          : 0}};
  const char* const end = text.data() + (text.size() - unit.size());
  const auto [last, failure] = std::from_chars(text.data(), end, rate.requests);
  const bool good = failure == std::errc{} && last == end && rate.requests > 0 &&
                    rate.requests <= kMost && rate.period.count() > 0;
  return good ? std::optional(rate) : std::nullopt;
}

std::optional<IpMode> ip_mode_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, IpMode>, 3> kModes = {
      {{"full", IpMode::Full}, {"truncate", IpMode::Truncate}, {"none", IpMode::None}}};
  const auto* found = std::find_if(
      kModes.begin(), kModes.end(), [&](const auto& entry) { return entry.first == name; });
  return found == kModes.end() ? std::nullopt : std::optional(found->second);
}

Result<Sources> Sources::read(std::span<const config::Item> items, bool is_loopback, IpMode ip) {
  Sources sources;
  sources.fallback_.ip = ip;
  sources.open_ = items.empty() && is_loopback;
  for (const config::Item& item : items) {
    auto source = read_source(item, ip);
    if (!source) {
      return Failure(source.error());
    }
    for (const Source& other : sources.sources_) {
      if (other.key == source->key || other.name == source->name) {
        return Failure(
            bad_setting(item, other.key == source->key ? "key" : "name", "is used twice"));
      }
    }
    sources.sources_.push_back(std::move(*source));
  }
  return sources;
}

Result<const Source*> Sources::find(std::span<const std::string> keys,
                                    std::string_view origin) const {
  if (open_) {
    return &fallback_;
  }
  bool offered = false;
  for (const std::string& key : keys) {
    offered = offered || !key.empty();
    const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
      return crypto::constant_time_equal(source.key, key);
    });
    if (found == sources_.end()) {
      continue;
    }
    if (!found->enabled) {
      return Failure({ErrorCode::PermissionDenied, "source is disabled", {}, "source_disabled"});
    }
    const bool listed =
        found->origins.empty() || origin.empty() ||
        std::find(found->origins.begin(), found->origins.end(), origin) != found->origins.end();
    if (!listed) {
      return Failure({ErrorCode::PermissionDenied,
                      "origin is not allowed for this write key",
                      {},
                      "origin_not_allowed"});
    }
    return &*found;
  }
  return offered
             ? Failure({ErrorCode::Unauthenticated, "unknown write key", {}, "unknown_write_key"})
             : Failure({ErrorCode::Unauthenticated,
                        "a write key is required",
                        {},
                        "write_key_required"});
}

Result<const Source*> Sources::find(std::string_view key, std::string_view origin) const {
  const std::string one(key);
  return find({&one, 1}, origin);
}

}  // namespace edge::events
