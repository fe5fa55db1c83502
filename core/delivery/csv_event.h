// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace edge::delivery {

/// Makes events of the rows of a table. Columns named after a member of an event (`type`, `event`,
/// `userId`, …) fill it, `properties.x`, `traits.x` and `context.x` their members, all others
/// become properties (traits of an identify). `FIELD=COL` renames. Empty cells are left out; a row
/// without a type is a track. Immutable.
class CsvEvents {
 public:
  /// Failure: InvalidArgument when a mapped column is not in the header.
  static Result<CsvEvents> read_header(const std::vector<std::string>& header,
                                       const std::vector<std::pair<std::string, std::string>>& map);

  /// The event of a row as JSON text. Failure: InvalidArgument when it has more cells than the
  /// header.
  [[nodiscard]] Result<std::string> event_of(const std::vector<std::string>& row) const;

 private:
  std::vector<std::pair<std::string, std::string>> targets_;  // object (or empty) and member
};

}  // namespace edge::delivery
