// SPDX-License-Identifier: MIT
// Which profile each event of the log was folded into. Kept because it cannot be found out later:
// who an identifier belonged to changes with merges, and undoing a merge gives events back to the
// profile that received them (events spec 5.5). One entry of the store per flush holds a run of
// (offset, profile number) pairs:
//
//   space "received", part "", key: first offset, 20 digits, value: [offset, number, offset, …]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/id.h"
#include "core/base/result.h"
#include "core/storage/batch.h"
#include "core/storage/storage.h"

namespace edge::profiles {

/// Pairs in rising order of offsets: event, profile number.
using Received = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// The entry that keeps a run; `run` is not empty.
storage::Put received_entry(const Received& run);

/// Reads the runs in rising order. One thread only.
class ReceivedReader {
 public:
  /// Borrows the store for its life; begins at offset `after` + 1.
  ReceivedReader(storage::Store& store, std::uint64_t after) : store_(store), after_(after) {}

  /// The next pairs, at most a few thousand; empty: there are no more.
  Result<Received> next();
  /// The number of the profile that received the event; offsets must be asked in rising order.
  /// Nothing: none did.
  Result<std::optional<std::uint64_t>> find(std::uint64_t offset);

 private:
  storage::Store& store_;
  std::uint64_t after_;
  std::optional<std::string> from_;  // key to go on at
  bool is_done_ = false;
  Received run_;
  std::size_t place_ = 0;
};

}  // namespace edge::profiles
