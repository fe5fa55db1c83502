// SPDX-License-Identifier: MIT
#include "core/events/campaign.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/encoding/percent.h"
#include "core/events/overlay.h"

namespace edge::events {
namespace {

constexpr std::array<std::string_view, 9> kClickIds = {
    "gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"};

/// Pairs with each name once; a query may hold thousands.
class FirstOfEqual {
 public:
  void put(std::string_view name, std::string value) {
    if (names_.emplace(name).second) {
      pairs_.emplace_back(std::string(name), std::move(value));
    }
  }
  Campaign::Pairs take() { return std::move(pairs_); }

 private:
  std::set<std::string, std::less<>> names_;
  Campaign::Pairs pairs_;
};

}  // namespace

Campaign read_campaign(std::string_view query) {
  FirstOfEqual parameters;
  FirstOfEqual click_ids;
  if (query.starts_with('?')) {
    query.remove_prefix(1);
  }
  if (query.empty()) {
    return {};
  }
  for (auto& [name, value] : encoding::parse_form(query)) {
    name = clean_text(name);
    value = clean_text(value);
    if (value.empty()) {
      continue;
    }
    if (name.starts_with("utm_") && name.size() > 4) {
      const std::string_view rest = std::string_view(name).substr(4);
      parameters.put(rest == "campaign" ? "name" : rest, std::move(value));
    } else if (std::find(kClickIds.begin(), kClickIds.end(), name) != kClickIds.end()) {
      click_ids.put(name, std::move(value));
    }
  }
  return {.parameters = parameters.take(), .click_ids = click_ids.take()};
}

}  // namespace edge::events
