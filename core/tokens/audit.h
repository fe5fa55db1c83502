// SPDX-License-Identifier: MIT
// The audit trail: who changed what, when (identity spec 3.2). An entry is written in the same
// batch as the change it is about, so there is never one without the other.
//
// Entries: space `audit`, key "MS-uuid" (in order of time), kept for 400 days.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::tokens {

/// Who makes a change.
struct Actor {
  std::string id = {};    ///< of the account or key; `local` for the local key or the command line
  std::string kind = {};  ///< `user`, `service`, `local`
  std::string client = {};   ///< network address, empty without one
  std::string request = {};  ///< request id, empty without one

  bool operator==(const Actor&) const = default;
};

/// One entry. `details` is a JSON object text without secrets.
struct AuditEntry {
  std::string id = {};  ///< its key: later entries have greater ones
  Time at = {};
  Actor actor = {};
  std::string action = {};  ///< `user.created` …
  std::string target = {};  ///< id of what was changed
  std::string details = "{}";
};

struct AuditPage {
  std::vector<AuditEntry> entries = {};    ///< newest first
  std::optional<std::string> before = {};  ///< where the next page begins
};

/// Writes and reads the trail. Thread-safe; `list` blocks on the store. Borrows for life.
class Audit {
 public:
  Audit(storage::Store& store, const Clock& clock, Ids& ids)
      : store_(store), clock_(clock), ids_(ids) {}

  /// Adds an entry of now to the batch of a change.
  void note(storage::Batch& batch,
            const Actor& actor,
            std::string_view action,
            std::string_view target,
            std::string_view details = "{}") const;

  /// At most `limit` (1 to 1,000) entries that are older than `before`, newest first.
  [[nodiscard]] Result<AuditPage> list(std::size_t limit, const std::string& before = {}) const;

 private:
  storage::Store& store_;
  const Clock& clock_;
  Ids& ids_;
};

}  // namespace edge::tokens
