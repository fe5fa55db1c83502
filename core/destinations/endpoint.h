// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::destinations {

/// Failure: InvalidArgument when a setting `url` does not start with http:// or https://, or holds
/// a user name or password, which the outbound guard never lets through.
Result<void> check_url(std::string_view url);

/// The base of a vendor's API from a setting `url`, which may be a base or a full endpoint: query,
/// trailing slashes and a known endpoint path (`/v1[/track…]`, `/2/httpapi`, `/batch`, `/identify`,
/// `/usermap`, `/track`, `/import`, `/engage`, `/groups`) are cut off; any other path is a prefix.
/// An empty text gives `fallback`.
///
/// Failure: as `check_url`.
Result<std::string> base_url(std::string_view url, std::string_view fallback);

/// A request field `Authorization: Basic` for a user and a password.
std::string basic_authorization(std::string_view user, std::string_view password);

}  // namespace edge::destinations
