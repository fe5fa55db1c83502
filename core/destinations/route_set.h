// SPDX-License-Identifier: MIT
// The destinations that an event goes to, as they are stored with it (storage spec 3): numbers
// below 63 are bits of `Record::routes`; bit 63 says that the text of the event lists the others,
// as the last member of `_edge`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/storage/records.h"

namespace edge::destinations {

inline constexpr unsigned kMaxDestinations = 256;

/// Numbers of destinations, each below `kMaxDestinations`.
class RouteSet {
 public:
  void add(unsigned number);
  [[nodiscard]] bool has(unsigned number) const;
  [[nodiscard]] bool is_empty() const { return mask_ == 0; }
  [[nodiscard]] std::uint64_t mask() const { return mask_; }
  /// Writes what the mask does not say into the canonical text of an event, which ends in the
  /// object `_edge`.
  void list_in(std::string& body) const;

 private:
  std::uint64_t mask_ = 0;
  std::vector<unsigned> listed_;
};

/// Whether the record was routed to the destination with that number.
bool goes_to(const storage::Record& record, unsigned number);

}  // namespace edge::destinations
