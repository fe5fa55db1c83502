// SPDX-License-Identifier: MIT
#include "cli/commands/destination_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/edge_for_reading.h"
#include "cli/exit_code.h"
#include "cli/remote_list.h"
#include "core/config/suggest.h"
#include "core/json/members.h"

namespace edge::cli {
namespace {

void add_names(Call& call, Remote* daemon, std::vector<std::string>& names) {
  if (daemon == nullptr) {
    const auto edge = edge_for_reading(call);
    for (const auto& entry : edge->destinations.table().get()->entries()) {
      names.push_back(entry->definition.id);
      names.push_back(entry->definition.name);
    }
    return;
  }
  const auto records = list_of(*daemon, "/cdp/destinations", "destinations");
  if (!records) {
    return;  // then nothing is suggested
  }
  for (const std::string& record : *records) {
    if (const auto document = json::Document::parse(record, json::kApi)) {
      names.push_back(json::text_in(document->root(), "id"));
      names.push_back(json::text_in(document->root(), "name"));
    }
  }
}

}  // namespace

Stop no_destination(Call& call,
                    Remote* daemon,
                    const std::string& name,
                    std::vector<std::string> others) {
  const std::string_view what = others.empty() ? "destination" : "queue or destination";
  std::vector<std::string> names = std::move(others);
  add_names(call, daemon, names);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return Stop({.error = {ErrorCode::NotFound, fmt::format("there is no {} \"{}\"", what, name)},
               .side = daemon == nullptr ? Side::Local : Side::Remote,
               .did_you_mean = config::closest(name, names),
               .hint = "edgectl destination list"});
}

}  // namespace edge::cli
