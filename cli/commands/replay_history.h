// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/delivery/replay_source.h"

namespace edge::cli {

/// Counts the events of a source that are older than a kind of destination remembers ids: it may
/// take them a second time (events spec 8.5). One thread only.
class HistoryWatch {
 public:
  /// `destination` is its name in the warning, `type` its kind.
  HistoryWatch(std::string destination, std::string type, Time now)
      : destination_(std::move(destination)), type_(std::move(type)), now_(now) {}

  void see(json::Value event);
  /// What to say of it; empty when there is nothing to say.
  [[nodiscard]] std::string warning() const;

 private:
  const std::string destination_;
  const std::string type_;
  const Time now_;
  std::uint64_t older_ = 0;
};

}  // namespace edge::cli
