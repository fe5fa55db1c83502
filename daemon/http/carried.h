// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "daemon/http/router.h"

namespace edge::http {

/// Which routes a listener carries (identity spec 6.3): all of them, or those of some surfaces and
/// of some groups of the seed API. Immutable.
class Carried {
 public:
  /// Everything.
  Carried() = default;
  /// Names: `seed tracking odp agent ofrep v4 s3 sites console`, or a group of the seed API by its
  /// first segment: `metrics`, `admin`. None: everything. Failure: InvalidArgument naming the text.
  static Result<Carried> parse(std::span<const std::string> names);

  [[nodiscard]] bool is_everything() const { return everything_; }
  [[nodiscard]] bool holds(const Route& route) const;

 private:
  bool everything_ = true;
  unsigned surfaces_ = 0;            // bit per `Surface`
  std::vector<std::string> groups_;  // `/metrics`
};

}  // namespace edge::http
