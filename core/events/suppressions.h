// SPDX-License-Identifier: MIT
// People whose events are no longer taken (events spec 5.7). The list holds keyed hashes only:
//
//   suppressed  "salt"  salt        32 octets, hex
//   suppressed  ""      hash, hex   {"at":ms}
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/base/snapshot.h"
#include "core/events/draft.h"
#include "core/events/event.h"
#include "core/storage/storage.h"

namespace edge::events {

/// What kind of name a suppressed one is.
enum class NameKind : std::uint8_t { UserId, AnonymousId, Email };

/// Thread-safe. Asking never blocks and costs a look when nobody is suppressed. Borrows all for
/// life.
class Suppressions {
 public:
  Suppressions(storage::Store& store, const Clock& clock, Random& random)
      : store_(store), clock_(clock), random_(random) {}

  /// Reads the list; makes the salt unless `read_only`. Once, before anything is asked.
  Result<void> load(bool read_only);

  /// Puts names on the list, or takes them off, durably; from then on they are, or are no longer,
  /// suppressed. Mail addresses count as they identify: trimmed, lower case. Blocks. Failure: of
  /// the store.
  Result<void> change(NameKind kind, const std::vector<std::string>& names, bool is_suppressed);

  [[nodiscard]] bool has(NameKind kind, std::string_view name) const;
  /// Whether the event names somebody who is on the list: as user id, anonymous id or earlier id,
  /// by the mail address in its traits or by a name in `context.externalIds`.
  [[nodiscard]] bool names(const Draft& draft) const;
  [[nodiscard]] bool names(const Event& event) const;
  /// Secret of this installation for hashes of personal values; empty before `load`.
  [[nodiscard]] const std::string& salt() const { return salt_; }

 private:
  using Hashes = std::unordered_set<std::string>;
  /// The ids and the objects with traits of an event.
  struct Named {
    std::string_view user_id;
    std::string_view anonymous_id;
    std::string_view previous_id;
    std::optional<json::Value> traits;
    std::optional<json::Value> context;
  };
  [[nodiscard]] bool has_any(const Named& named) const;
  [[nodiscard]] std::string hash_of(NameKind kind, std::string_view name) const;

  storage::Store& store_;
  const Clock& clock_;
  Random& random_;
  std::string salt_;
  std::mutex changing_;  // held over store calls: changes are rare and publish in their order
  Snapshot<Hashes> hashes_{std::make_shared<const Hashes>()};
};

}  // namespace edge::events
