// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::crypto {

/// The `webhook-id` of an event: `msg_` and its messageId with characters outside `[A-Za-z0-9_-]`
/// as `_` (one per octet group of a character, see the vectors), plus `_` and eight hex digits of
/// its SHA-256 if any was replaced. The same in all attempts and replays.
std::string webhook_id(std::string_view message_id);

/// The key octets of a Standard Webhooks secret: base64, `whsec_` in front optional.
/// Failure: InvalidArgument.
Result<std::string> webhook_key(std::string_view secret);

/// One signature per key (several during a rotation), separated by blanks: `v1,` and the base64
/// HMAC-SHA256 of `id.seconds.body` (Standard Webhooks 1.0).
std::string webhook_signature(std::span<const std::string> keys,
                              std::string_view id,
                              std::int64_t seconds,
                              std::string_view body);

}  // namespace edge::crypto
