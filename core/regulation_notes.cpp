// SPDX-License-Identifier: MIT
#include "core/regulation_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/destinations/destinations.h"
#include "core/events/event.h"
#include "core/json/document.h"

namespace edge::regulation {
namespace {

constexpr const char* kRemains = "remains";

}  // namespace

using profiles::Removed;

storage::Key record_key(std::string_view id) {
  return {"regulation", "", std::string(id)};
}
storage::Key open_key(Time created, std::string_view id) {
  return {"regulation_open", "", fmt::format("{:015}{}", to_ms(created), id)};
}
storage::Key note_key(const std::string& id, std::size_t subject) {
  return {"regulation_note", id, fmt::format("{:06}", subject)};
}
storage::Key remains_key(const std::string& id) {
  return {"regulation_note", id, kRemains};
}
storage::Key news_key(const std::string& id) {
  return {"regulation_news", "", id};
}

Result<std::vector<storage::Page::Item>> all_of(storage::Store& store, storage::Scan scan) {
  std::vector<storage::Page::Item> items;
  for (;;) {
    auto page = store.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    std::ranges::move(page->items, std::back_inserter(items));
    if (!page->next) {
      return items;
    }
    scan.resume(*page->next);
  }
}

Result<std::vector<Removed>> notes_of(storage::Store& store, const std::string& id) {
  const auto items = all_of(store, {.space = "regulation_note", .part = id, .to = kRemains});
  if (!items) {
    return Failure(items.error());
  }
  std::vector<Removed> removed;
  for (const storage::Page::Item& item : *items) {
    auto one = Removed::decode(item.entry.value);
    if (!one) {
      return Failure(one.error());
    }
    removed.push_back(std::move(*one));
  }
  return removed;
}

Result<profiles::Remains> remains_of(storage::Store& store,
                                     const std::string& id,
                                     const std::vector<Removed>& removed) {
  auto remains = profiles::remains_of(store, removed);
  const auto noted = store.get(remains_key(id), soon());
  if (!remains || !noted) {
    return Failure(remains ? noted.error() : remains.error());
  }
  if (*noted) {
    const auto document = json::Document::parse((*noted)->value, json::kEvent);
    for (const json::Value profile : document->root().elements()) {
      remains->profiles.insert(std::string(profile.as_string().value_or("")));
    }
  }
  return remains;
}

Result<SourcesAndIds> records_at(storage::Store& store, const std::vector<std::uint64_t>& offsets) {
  SourcesAndIds found;
  for (std::size_t i = 0; i < offsets.size();) {
    std::size_t end = i + 1;  // a run without gaps is read at once
    while (end < offsets.size() && end - i < 500 && offsets[end] == offsets[end - 1] + 1) {
      ++end;
    }
    const auto slice = store.read({.stream = destinations::kStream,
                                   .lane = destinations::kLane,
                                   .after = offsets[i] - 1,
                                   .max_records = end - i},
                                  patient());
    if (!slice) {
      return Failure(slice.error());
    }
    for (const storage::RecordPointer& record : slice->records) {
      const auto event = events::Event::decode(record->body);
      if (record->offset <= offsets[end - 1]) {
        found.emplace_back(event ? std::string(event->source()) : "", record->id);
      }
    }
    // A slice may end early for its size; what it did not reach is read next.
    while (i < end && (slice->records.empty() || offsets[i] <= slice->reached)) {
      ++i;
    }
  }
  return found;
}

}  // namespace edge::regulation
