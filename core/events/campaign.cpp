// SPDX-License-Identifier: MIT
#include "core/events/campaign.h"

#include <algorithm>
#include <array>

#include "core/encoding/percent.h"
#include "core/events/overlay.h"

namespace edge::events {
namespace {

constexpr std::array<std::string_view, 9> kClickIds = {
    "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"};

void put_first(Campaign::Pairs& pairs, std::string_view name, std::string value) {
  const bool known =
      std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
  if (!known) {
    pairs.emplace_back(std::string(name), std::move(value));
  }
}

}  // namespace

Campaign read_campaign(std::string_view query) {
  Campaign campaign;
  if (query.starts_with('?')) {
    query.remove_prefix(1);
  }
  if (query.empty()) {
    return campaign;
  }
  for (auto& [name, value] : encoding::parse_form(query)) {
    name = clean_text(name);
    value = clean_text(value);
    if (value.empty()) {
      continue;
    }
    if (name.starts_with("utm_") && name.size() > 4) {
      const std::string_view rest = std::string_view(name).substr(4);
      put_first(campaign.parameters, rest == "campaign" ? "name" : rest, std::move(value));
    } else if (std::find(kClickIds.begin(), kClickIds.end(), name) != kClickIds.end()) {
      put_first(campaign.click_ids, name, std::move(value));
    }
  }
  return campaign;
}

}  // namespace edge::events
