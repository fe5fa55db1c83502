// SPDX-License-Identifier: MIT
// Recipients whose opens and clicks carry no identity (identity spec 1.12).
//
//   space    part       key        value
//   optouts  "list:L"   recipient  {"since":ms,"by":"…"}
//   optouts  "who"      recipient  ["L",…]: the lists that name them, for one look-up per open
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::pixels {

/// One entry of a list; the list without a name is "".
struct OptOut {
  std::string recipient = {};
  std::string list = {};
  Time since = {};
  std::string by = {};  ///< `unsubscribe`, `api` or `command`
};

/// The opt-out lists of a store. All calls wait for the store: not on an event loop. Thread-safe.
class OptOuts {
 public:
  /// Borrows both for life.
  OptOuts(storage::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Adds a recipient; one that is on the list stays as it is. True when it is new. Failures:
  /// InvalidArgument for texts that are no identifier, those of the store.
  Result<bool> add(const std::string& recipient, const std::string& list, std::string_view by);
  /// Removes it; false when it was not on the list.
  Result<bool> remove(const std::string& recipient, const std::string& list);

  struct Page {
    std::vector<OptOut> items = {};
    std::optional<std::string> next = {};  ///< cursor of the next page
  };
  /// The entries of one list in order of their ids, at most 1000 at once.
  Result<Page> list(const std::string& list, const std::string& cursor, std::size_t limit) const;

  /// Which of the recipients are on any list, in their order; at most 1000. Without any opt-out
  /// nothing is read.
  Result<std::vector<bool>> are_listed(const std::vector<std::string>& recipients);

 private:
  Result<bool> change(const std::string& recipient,
                      const std::string& list,
                      std::optional<std::string_view> added_by);
  Result<bool> is_empty();

  storage::Store& store_;
  const Clock& clock_;
  std::atomic<bool> has_some_{false};
};

}  // namespace edge::pixels
