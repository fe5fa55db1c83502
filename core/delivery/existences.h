// SPDX-License-Identifier: MIT
// Which destinations exist. A destination that was removed and made again has the id of the former
// one, and the dead letters that name it, but neither its counters nor its rows.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/base/result.h"
#include "core/delivery/dead_letter.h"
#include "core/storage/storage.h"

namespace edge::delivery {

/// Asks the store once for each destination. One thread only.
class Existences {
 public:
  explicit Existences(storage::Store& store) : store_(store) {}

  /// The version of the destination's `number_key`, 0 when there is none. Failure: of the store.
  Result<std::uint64_t> version_of(const std::string& destination);
  /// Whether the destination that counted the letter still is. Failure: of the store.
  Result<bool> counts(const DeadLetter& letter);
  /// Takes back that a letter waits to be delivered when its row went with a former destination.
  /// Failure: of the store.
  Result<void> correct(DeadLetter& letter);

 private:
  storage::Store& store_;
  std::map<std::string, std::uint64_t> versions_;
};

}  // namespace edge::delivery
