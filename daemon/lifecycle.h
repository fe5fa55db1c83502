// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace edge {

/// Where the daemon stands between its start and its end; `/health/ready` answers 200 only in
/// `Ready`. Thread-safe.
class Lifecycle {
 public:
  enum class Phase : std::uint8_t { Starting, Ready, Draining };

  [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_relaxed); }
  void enter(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }

 private:
  std::atomic<Phase> phase_{Phase::Starting};
};

}  // namespace edge
