// SPDX-License-Identifier: MIT
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "core/base/error.h"

namespace edge {

/// A value, or why there is none. Faults (broken disk, violated invariant) are exceptions instead.
template <typename T>
using Result = tl::expected<T, Error>;

/// Turns an error into the failing side of any `Result`.
inline tl::unexpected<Error> Failure(
    Error error) {  // NOLINT(readability-identifier-naming): reads as a value
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace edge
