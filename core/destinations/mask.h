// SPDX-License-Identifier: MIT
#pragma once

#include "core/destinations/destination.h"

namespace edge::destinations {

/// Hides what a person who may only look must not see: credentials in header fields and in the
/// query of the URL become `…` and eight hex digits of their SHA-256 (identity spec 5.3).
void mask(Request& request);

}  // namespace edge::destinations
