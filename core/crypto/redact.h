// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace edge::crypto {

/// What stands for a secret in logs and error bodies: `…` and 8 hexadecimal digits of its SHA-256,
/// so that two mentions of one secret can be told to be the same (identity spec 5.3).
std::string redacted(std::string_view secret);

/// A request target fit for logs and error bodies: query values whose names tell of secrets (`token
/// access_token id_token refresh_token api_key apikey key secret password sig signature code`) and
/// the last segment of pixel routes are redacted; the rest stays as it is.
std::string redact_target(std::string_view target);

}  // namespace edge::crypto
