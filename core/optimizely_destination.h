// SPDX-License-Identifier: MIT
#pragma once

#include "core/destinations/catalogue.h"

namespace edge {

/// Adds the type of destination `optimizely`, which sends reports of decisions (decision_reports.h)
/// to Optimizely's event API, several in a body (decisions spec 11.3), and nothing else.
void add_optimizely(destinations::Catalogue& catalogue);

}  // namespace edge
