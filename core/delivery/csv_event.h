// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace edge::delivery {

/// Makes events of the rows of a table. Columns named after a member of an event (`type`, `event`,
/// `userId`, …) fill it, `properties.x`, `traits.x` and `context.x` their members, all others
/// become properties (traits of an identify). `FIELD=COL` fills a field from a column, which
/// then goes nowhere else but to fields that are mapped to it. Empty cells are left out; a row
/// without a type is a track. Immutable.
class CsvEvents {
 public:
  /// Failure: InvalidArgument when a mapped column is not in the header or a field is mapped twice.
  static Result<CsvEvents> read_header(const std::vector<std::string>& header,
                                       const std::vector<std::pair<std::string, std::string>>& map);

  /// The event of a row as JSON text. Failure: InvalidArgument when it has more cells than the
  /// header.
  [[nodiscard]] Result<std::string> event_of(const std::vector<std::string>& row) const;

 private:
  /// Where a cell goes. `object` is empty for a member of the event itself, "*" for what the type
  /// of the event decides.
  struct Target {
    std::size_t column = 0;
    std::string object = {};
    std::string member = {};
  };
  static Target target_of(std::size_t column, const std::string& field);

  std::size_t columns_ = 0;
  std::vector<Target> targets_;  // the mapped ones first: a member is filled once
};

}  // namespace edge::delivery
