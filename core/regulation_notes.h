// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/profiles/removal.h"
#include "core/storage/storage.h"

// What a regulation keeps in the store while it runs (the spaces: regulations.h).
namespace edge::regulation {

inline storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}
inline storage::Deadline patient() {
  return storage::Deadline::in(std::chrono::minutes(10));
}

storage::Key record_key(std::string_view id);
storage::Key open_key(Time created, std::string_view id);
storage::Key note_key(const std::string& id, std::size_t subject);
storage::Key remains_key(const std::string& id);
storage::Key news_key(const std::string& id);

/// All pages of a scan. Failure: of the store.
Result<std::vector<storage::Page::Item>> all_of(storage::Store& store, storage::Scan scan);
/// Who went, one note for each subject. Failure: of the store.
Result<std::vector<profiles::Removed>> notes_of(storage::Store& store, const std::string& id);
/// The closure of merges as it was before any merge was removed. Failure: of the store.
Result<profiles::Remains> remains_of(storage::Store& store,
                                     const std::string& id,
                                     const std::vector<profiles::Removed>& removed);

using SourcesAndIds = std::vector<std::pair<std::string, std::string>>;
/// Which of the offsets (rising) hold a record: the sources and message ids of the events there.
/// Failure: of the store.
Result<SourcesAndIds> records_at(storage::Store& store, const std::vector<std::uint64_t>& offsets);

}  // namespace edge::regulation
