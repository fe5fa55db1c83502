// SPDX-License-Identifier: MIT
// Gives memory that was freed in pieces back to the system: after a burst the allocator keeps what
// lies between the living, and that would count as the daemon's for good.
#include <malloc.h>

#include <chrono>
#include <cstddef>

#include "daemon/workers.h"

namespace edge::workers {
namespace {

constexpr std::chrono::seconds kPeriod{5};
constexpr std::size_t kTolerated = std::size_t{16} << 20U;  ///< free octets that may stay

}  // namespace

void memory(Crew& crew) {
  crew.every(kPeriod, "memory", [] {
    if (::mallinfo2().fordblks > kTolerated) {
      ::malloc_trim(0);
    }
  });
}

}  // namespace edge::workers
