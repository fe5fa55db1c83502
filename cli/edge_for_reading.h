// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "cli/call.h"
#include "core/edge.h"

namespace edge::cli {

/// The services on the local store, for reading; where there is no store yet, on an empty one, so
/// that what stands in the configuration is there all the same. `call` must outlive them. Throws
/// `Stop` as `Call::edge`.
std::unique_ptr<Edge> edge_for_reading(Call& call);

}  // namespace edge::cli
