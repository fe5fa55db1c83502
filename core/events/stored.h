// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::events {

/// Some stored events, as others may see them (without internals), and where each lies in the log.
struct StoredPage {
  std::vector<std::string> events = {};       ///< JSON object texts
  std::vector<std::uint64_t> positions = {};  ///< of the events, one each
  std::optional<std::uint64_t> next = {};     ///< where the next page goes on
};

/// Newest first. `next` is what `before` continues with; nothing at the end. `query.stream` is set
/// here. Failures: those of the store.
Result<StoredPage> stored_before(storage::Store& store,
                                 storage::Find query,
                                 storage::Deadline deadline);
/// Oldest first: those behind the position `after` (0: from the beginning) that `query` takes; its
/// `before` is not used. `next` is the position that was reached, with which a later call goes on
/// even when there is nothing more yet. A page may be empty or short although more follow: the end
/// is reached when `next` is the head of the log. Failures: those of the store.
Result<StoredPage> stored_after(storage::Store& store,
                                const storage::Find& query,
                                std::uint64_t after,
                                storage::Deadline deadline);

}  // namespace edge::events
