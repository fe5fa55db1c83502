// SPDX-License-Identifier: MIT
#include "core/events/stored.h"

#include <algorithm>

#include "core/events/event.h"
#include "core/events/ingest.h"

namespace edge::events {
namespace {

void add(StoredPage& page, const storage::Record& record) {
  if (const auto event = Event::decode(record.body)) {
    page.events.push_back(without_internals(*event));
    page.positions.push_back(record.offset);
  }
}

bool takes(const storage::Find& query, const storage::Record& record) {
  return (query.id.empty() || record.id == query.id) &&
         (query.user.empty() || record.user == query.user) &&
         (!query.kind || record.kind == *query.kind) &&
         (query.name.empty() || record.name == query.name) && record.at >= query.since &&
         (query.until == 0 || record.at < query.until);
}

}  // namespace

Result<StoredPage> stored_before(storage::Store& store,
                                 storage::Find query,
                                 storage::Deadline deadline) {
  query.stream = kStream;
  const auto found = store.find(query, deadline);
  if (!found) {
    return Failure(found.error());
  }
  StoredPage page{.next = found->next};
  for (const storage::RecordPointer& record : found->records) {
    add(page, *record);
  }
  return page;
}

Result<StoredPage> stored_after(storage::Store& store,
                                const storage::Find& query,
                                std::uint64_t after,
                                storage::Deadline deadline) {
  StoredPage page{.next = after};
  // Filters that take little would cost a request for each few; one asks for some slices at once.
  std::size_t bytes = 0;
  for (int slices = 0; slices < 8 && page.events.size() < query.limit; ++slices) {
    const auto slice = store.read({.stream = kStream,
                                   .after = *page.next,
                                   .max_records = std::min(query.limit, storage::kMaxPageItems),
                                   .max_bytes = storage::kMaxPageBytes},
                                  deadline);
    if (!slice) {
      return Failure(slice.error());
    }
    if (slice->reached <= *page.next) {
      break;
    }
    for (const storage::RecordPointer& record : slice->records) {
      if (page.events.size() == query.limit) {
        return page;
      }
      page.next = record->offset;
      if (takes(query, *record)) {
        add(page, *record);
        bytes += record->body.size();
      }
    }
    page.next = slice->reached;
    if (bytes > storage::kMaxPageBytes / 2) {
      break;
    }
  }
  return page;
}

}  // namespace edge::events
