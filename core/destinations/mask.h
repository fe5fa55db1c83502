// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/destinations/destination.h"

namespace edge::destinations {

/// Hides what a person who may only look must not see: credentials in header fields, in the query
/// of the URL and, when they are among `secrets`, in the body become `…` and eight hex digits of
/// their SHA-256 (identity spec 5.3).
void mask(Request& request, std::span<const std::string> secrets = {});

/// A URL as `mask` shows it.
std::string masked_url(std::string_view url);
/// `url` with what `kept` has in place of the masks that stand for it. Nothing: a mask stands for
/// no value of `kept`.
std::optional<std::string> unmasked_url(std::string_view url, std::string_view kept);

}  // namespace edge::destinations
