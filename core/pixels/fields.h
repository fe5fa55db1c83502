// SPDX-License-Identifier: MIT
// The body of a format-2 token: fields in ascending order, each `head length value` (identity
// spec 1.3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/pixels/claims.h"

namespace edge::pixels {

/// Appends the fields of `claims`, which must have passed `check`.
void append_fields(std::string& out, const Claims& claims);

/// The ids that every open token has.
enum class IdField : std::uint8_t { Campaign = 1, Email = 2, Recipient = 3 };

/// Appends the field of one identifier, which must be one (`is_identifier`).
void append_id_field(std::string& out, IdField field, std::string_view id);

enum class FieldStatus : std::uint8_t { Ok, Malformed, UnsupportedField };

/// Reads the fields into `claims`, whose kind is set. Only what `append_fields` would have written
/// is Ok; unknown fields 9 to 11 are skipped.
FieldStatus read_fields(std::string_view body, Claims& claims);

}  // namespace edge::pixels
