// SPDX-License-Identifier: MIT
#include "core/config/listeners.h"

#include <fmt/format.h>

#include "core/json/document.h"

namespace edge::config {
namespace {

constexpr const char* kField = "server.listeners";

Error wrong(const Item& item, std::string_view member, std::string_view what) {
  return {ErrorCode::InvalidArgument,
          fmt::format("{}: listener {} {}", item.where, member, what),
          kField,
          "bad_setting"};
}

Result<ListenAt> read(const Item& item) {
  const auto document = json::Document::parse(item.json, json::kStrict);
  if (!document || !document->root().is_object()) {
    return Failure(wrong(item, "table", "is no object"));
  }
  ListenAt place{.where = item.where};
  for (const auto& [name, value] : document->root().members()) {
    if (name == "address" && value.is_string()) {
      place.address = *value.as_string();
    } else if (name == "tls" && value.is_bool()) {
      place.tls = value.as_bool();
    } else if (name == "surfaces" && value.is_array()) {
      for (const json::Value surface : value.elements()) {
        if (!surface.is_string()) {
          return Failure(wrong(item, name, "must be a list of texts"));
        }
        place.surfaces.emplace_back(*surface.as_string());
      }
    } else {
      const bool is_known = name == "address" || name == "tls" || name == "surfaces";
      return Failure(
          wrong(item, name, is_known ? "has the wrong type" : "is no setting of a listener"));
    }
  }
  if (place.address.empty()) {
    return Failure(wrong(item, "address", "is missing"));
  }
  return place;
}

}  // namespace

Result<std::vector<ListenAt>> listeners(const Config& config) {
  std::vector<ListenAt> places;
  for (const std::string& address : config.server.listen) {
    places.push_back({.address = address, .where = "server.listen"});
  }
  for (const Item& item : config.listeners) {
    auto place = read(item);
    if (!place) {
      return Failure(place.error());
    }
    places.push_back(*std::move(place));
  }
  if (places.empty()) {
    return Failure({ErrorCode::InvalidArgument,
                    "server.listen names no address and there are no listeners",
                    "server.listen",
                    "bad_setting"});
  }
  return places;
}

}  // namespace edge::config
