// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
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
  std::string problem = {};  ///< why it failed; empty: it did not
  std::vector<std::string> manual = {};

  [[nodiscard]] std::string encode() const;
  /// Failure: Internal when it is something else.
  static Result<RegulationRecord> decode(std::string_view text);
  /// What callers get to see.
  [[nodiscard]] std::string document() const;
};

/// A record, for the class that works on it only.
struct Regulations::Record : RegulationRecord {};

/// Who drives a regulation.
struct Regulations::Run {
  const std::stop_token& stop;
  const std::function<Result<void>()>& drain;
};

}  // namespace edge
