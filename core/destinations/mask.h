// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "core/destinations/destination.h"

namespace edge::destinations {

/// Hides what a person who may only look must not see: credentials in header fields, in the query
/// of the URL and, when they are among `secrets`, in the body become `…` and eight hex digits of
/// their SHA-256 (identity spec 5.3).
void mask(Request& request, std::span<const std::string> secrets = {});

}  // namespace edge::destinations
