// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/events/event.h"
#include "core/profiles/records.h"
#include "core/storage/storage.h"

namespace edge::test {

inline storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds{5});
}

/// Appends canonical events (or anything else) to the event log.
inline void append(storage::Store& store, const std::vector<std::string>& bodies) {
  storage::Append append{.stream = "events", .records = {}, .unique = false};
  for (const std::string& body : bodies) {
    append.records.push_back({.source = "test", .id = "m", .body = body});
  }
  storage::Batch batch;
  batch.appends.push_back(std::move(append));
  if (const auto receipt = store.commit(std::move(batch), soon()); !receipt) {
    throw std::runtime_error(receipt.error().message);
  }
}

/// All entries of one part of a space, `key=value` per element.
inline std::vector<std::string> entries(storage::Store& store,
                                        const std::string& space,
                                        const std::string& part = "") {
  std::vector<std::string> found;
  storage::Scan scan = storage::Scan::prefix(space, part, "");
  while (true) {
    const auto page = store.scan(scan, soon());
    if (!page) {
      throw std::runtime_error(page.error().message);
    }
    for (const auto& item : page->items) {
      found.push_back(item.key + "=" + item.entry.value);
    }
    if (!page->next) {
      return found;
    }
    scan.resume(*page->next);
  }
}

/// The profiles that are not merged into others.
inline std::vector<profiles::Profile> stored_profiles(storage::Store& store) {
  std::vector<profiles::Profile> found;
  for (const std::string& entry : entries(store, "profile")) {
    auto stored = profiles::decode_stored(std::string_view(entry).substr(entry.find('=') + 1));
    if (!stored) {
      throw std::runtime_error(stored.error().message);
    }
    if (stored->redirect.empty()) {
      found.push_back(std::move(stored->profile));
    }
  }
  return found;
}

/// Everything that the projector writes, as one list that can be compared.
inline std::vector<std::string> whole_state(storage::Store& store) {
  std::vector<std::string> state;
  const auto take = [&](const std::string& space, const std::string& part) {
    for (std::string& entry : entries(store, space, part)) {
      state.push_back(space + "/" + part + "/" + std::move(entry));
    }
  };
  for (const char* space : {"profile", "group", "merge"}) {
    take(space, "");
  }
  for (const char* type :
       {"user_id", "email", "anonymous_id", "alias_id", "ios.id", "ios.idfa", "shopify_id"}) {
    take("ident", type);
  }
  for (const std::string& entry : entries(store, "profile")) {
    take("history", entry.substr(0, entry.find('=')));
  }
  const auto position = store.position(profiles::kConsumer, "events", 0, soon());
  state.push_back("position/" + std::to_string(position ? position->offset : 0));
  return state;
}

}  // namespace edge::test
