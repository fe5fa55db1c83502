// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/kv/records.h"
#include "core/storage/storage.h"

namespace edge::kv {

/// Values that do not fit into the batch that makes them visible: more than 4 MiB, or part of a
/// bulk of more than 16 MiB. Thread-safe; all calls wait for the store. It must be the only writer
/// of its store: what it is writing now is known to it alone.
class BigValues {
 public:
  struct Piece {
    std::string_view key;
    std::string_view value;
    std::int64_t expires = 0;
  };

  /// Values that were written and are not visible yet. As long as it lives they are not garbage.
  class Staged {
   public:
    Staged(BigValues& owner, std::vector<std::string> staged_ids);
    ~Staged();
    Staged(const Staged&) = delete;
    Staged& operator=(const Staged&) = delete;
    Staged(Staged&&) = delete;
    Staged& operator=(Staged&&) = delete;

    const std::vector<std::string> ids;  ///< for the heads, in order of the values

   private:
    BigValues& owner_;
  };

  BigValues(storage::Store& store, Random& random) : store_(store), random_(random) {}

  /// Writes the values. After a failure nothing of them is visible.
  Result<std::shared_ptr<const Staged>> stage(const std::string& space,
                                              const std::vector<Piece>& values);
  /// The value of the head; nothing when it has been replaced meanwhile.
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& space,
                                                        const Head& head) const;
  /// Adds to `batch` what removes the value.
  static void add_removal(storage::Batch& batch, const std::string& space, const Head& head);
  /// Looks at the next 1,000 big values at most and removes those that no head names. How many.
  Result<std::size_t> collect();

 private:
  struct Owner;
  [[nodiscard]] std::vector<std::string> reserve(std::size_t count);
  [[nodiscard]] bool is_being_written(const std::string& id) const;
  Result<bool> judge(const Owner& owner, const std::optional<storage::Entry>& head);

  storage::Store& store_;
  Random& random_;
  mutable std::mutex mutex_;
  std::set<std::string> writing_;  // guarded by mutex_
  std::string next_;               // where `collect` goes on; guarded by mutex_
};

}  // namespace edge::kv
