// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edge::encoding {

/// Decodes `%XX` once (RFC 3986). A `%` without two hexadecimal digits: nothing. `+` stays as it
/// is.
std::optional<std::string> percent_decode(std::string_view text);
/// As `percent_decode`, but leaves broken sequences as they stand and, for forms and queries, reads
/// `+` as a blank.
std::string form_decode(std::string_view text);
/// Encodes everything but unreserved characters (`A-Z a-z 0-9 - . _ ~`).
std::string percent_encode(std::string_view text);

/// Name and value pairs of a query or an `application/x-www-form-urlencoded` body, decoded, in
/// order.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text);

}  // namespace edge::encoding
