// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/codec.h"

namespace edge::pixels {

/// Claims from a record `{"kind"?,"issuedAt"?,"campaignId",…,"metadata"?,"ttl"?,"url"?}` (identity
/// spec 1.7), checked. What is absent or null takes the default kind and time. Failures are
/// InvalidArgument with the reasons of `check` and `invalid_kind`, `invalid_ttl`,
/// `invalid_timestamp`.
Result<Claims> claims_of(json::Value record,
                         TokenKind default_kind,
                         std::uint32_t default_issued_at);

/// Appends the members of the result object of identity spec 1.5 (`status`, `version`, `kind`, …)
/// to an open object. Contents stand there when the reading has them.
void write_reading(json::Writer& out, const Reading& reading);

}  // namespace edge::pixels
