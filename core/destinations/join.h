// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "core/destinations/destination.h"

namespace edge::destinations {

/// Joins records of one channel into as few requests as its limits allow, in their order. The
/// records of one event stay together: what is sent again after a failure is whole events.
std::vector<Request> requests_of(const Destination& destination,
                                 std::size_t channel,
                                 std::vector<Record> records);

/// A batch as requests, in order of sending.
struct Encoding {
  std::vector<Mapped> events = {};  ///< one per event of the batch; the pieces moved on
  std::vector<Request> requests = {};
};
Encoding encode(const Destination& destination, std::span<const events::Event* const> batch);

}  // namespace edge::destinations
