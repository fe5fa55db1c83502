// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace edge::pixels {

/// Whether `text` holds a mark with which mail services begin or end the placeholders that they
/// fill in: `{{ }} *| |* %% [[ <% ${` (identity spec 1.3).
bool holds_placeholder(std::string_view text);

/// The recipient of a template token: the first `r` of a query, percent-decoded once (a `+` stays).
/// Empty when there is none, it is no identifier, or the mail service did not fill it in.
std::string filled_in_recipient(std::string_view query);

}  // namespace edge::pixels
