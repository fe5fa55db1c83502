// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/regulations.h"

namespace edge {

/// A regulation as it lies in the store.
struct RegulationRecord {
  struct Counts {
    std::uint64_t profiles = 0;
    std::uint64_t events = 0;
    std::uint64_t deliveries = 0;
    std::uint64_t dead_letters = 0;
    std::uint64_t told = 0;  ///< subjects that destinations are told of
  };
  std::string id = {};
  RegulationRequest request = {};  ///< without ids once they are no longer needed
  std::uint64_t subjects = 0;
  std::string step = {};
  std::size_t told = 0;  ///< of the subjects, whose news are queued
  Time created = {};
  Time finished = {};  ///< 1970: it is running
  Counts counts = {};
  std::vector<std::string> manual = {};

  [[nodiscard]] std::string encode() const;
  /// Failure: Internal when it is something else.
  static Result<RegulationRecord> decode(std::string_view text);
  /// What callers get to see.
  [[nodiscard]] std::string document() const;
};

}  // namespace edge
