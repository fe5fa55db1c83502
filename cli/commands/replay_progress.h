// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/call.h"
#include "core/delivery/replay.h"

namespace edge::cli {

/// How far a replay is, on stderr: one line that is redrawn on a terminal, ten times a second at
/// most and not in its first half second; elsewhere a line every 30 seconds. One thread only.
class ReplayProgress {
 public:
  explicit ReplayProgress(const Call& call);

  /// `share`: which part of the source was read, from 0 to 1.
  void show(const delivery::ReplayCounts& counts, std::optional<double> share);
  /// Takes the line away.
  void clear() const;

 private:
  [[nodiscard]] std::string line(const delivery::ReplayCounts& counts,
                                 std::optional<double> share,
                                 SteadyTime now) const;

  const Call& call_;
  const bool terminal_;
  const bool silent_;
  bool drawn_ = false;
  SteadyTime begun_;
  SteadyTime last_;
  std::optional<std::uint64_t> sent_before_;  // by the run that this one continues
};

}  // namespace edge::cli
