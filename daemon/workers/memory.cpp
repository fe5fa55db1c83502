// SPDX-License-Identifier: MIT
// Gives memory that was freed in pieces back to the system: after a burst the allocator keeps what
// lies between the living, and that would count as the daemon's for good.
//
// It keeps everybody who allocates waiting for some 20 ms, so it happens only when what is resident
// has grown since the last time, not while a steady load uses the same memory again and again.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>

#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::size_t kGrowth = std::size_t{16} << 20U;     ///< octets since the last time
constexpr std::size_t kTolerated = std::size_t{16} << 20U;  ///< free octets that may stay

/// Octets of this process that are in memory; 0 where the system does not tell.
std::size_t resident() {
  std::ifstream in("/proc/self/statm");
  std::size_t size = 0;
  std::size_t pages = 0;
  in >> size >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void memory(Crew& crew) {
  crew.every(kPeriod, "memory", [before = std::size_t{0}]() mutable {
    const std::size_t now = resident();
    before = std::min(before, now);
    if (now > before + kGrowth && ::mallinfo2().fordblks > kTolerated) {
      ::malloc_trim(0);
      before = resident();
    }
  });
}

}  // namespace edge::workers
