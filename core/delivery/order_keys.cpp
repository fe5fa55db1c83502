// SPDX-License-Identifier: MIT
#include "core/delivery/order_keys.h"

#include <vector>

namespace edge::delivery {
namespace {

/// Beyond that the orders of long backlogs are joined anew.
constexpr std::size_t kMostIds = 50'000;

std::vector<std::string> names_of(const events::Event& event) {
  std::vector<std::string> names;
  const auto add = [&](char kind, std::string_view id) {
    if (!id.empty()) {
      names.push_back(kind + std::string(id));
    }
  };
  add('u', event.user_id());
  add('a', event.anonymous_id());
  // What an alias names may be either.
  add('u', event.previous_id());
  add('a', event.previous_id());
  return names;
}

}  // namespace

std::string OrderKeys::key_of(const events::Event& event, const IsOpen& is_open) {
  std::vector<std::string> names = names_of(event);
  std::string key;
  for (const std::string& name : names) {
    const auto found = keys_.find(name);
    if (found == keys_.end() || found->second == key) {
      continue;
    }
    if (key.empty() || (!is_open(key) && is_open(found->second))) {
      key = found->second;
    }
  }
  key = key.empty() ? std::string(event.user_key()) : key;
  join(std::move(names), key);
  return key;
}

void OrderKeys::remember(const events::Event& event, const std::string& key) {
  join(names_of(event), key);
}

void OrderKeys::join(std::vector<std::string> names, const std::string& key) {
  if (keys_.size() > kMostIds) {
    keys_.clear();
  }
  for (std::string& name : names) {
    keys_.insert_or_assign(std::move(name), key);
  }
}

}  // namespace edge::delivery
