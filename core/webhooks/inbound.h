// SPDX-License-Identifier: MIT
// Inbound webhooks: who may call, and what a call becomes (events spec 9).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/events/shapes.h"
#include "core/webhooks/signature.h"

namespace edge::webhooks {

/// Finds a secret by name; nothing when there is none of that name.
using SecretFinder = std::function<std::optional<std::string>(const std::string& name)>;

/// One webhook that others may call: `POST /webhook/NAME`.
struct Inbound {
  std::string name = {};
  events::InboundKind kind = events::InboundKind::Custom;
  Signing signing = {};
  bool accepts_unsigned = false;  ///< without a secret, beyond loopback too
};

/// Those of `[[webhooks]]` (`name`, `kind`, `scheme`, `secret` or `secrets`: names of secrets,
/// `header`, `algorithm`, `encoding`, `prefix`, `tolerance`, `unsigned`), and `segment`,
/// `optimizely` and `custom` when they are not among them. The scheme follows from the kind when it
/// is not given: `segment`, `hub-sha1`, `standard`.
///
/// Failure: InvalidArgument naming the place in the file; reason `secret_missing`.
Result<std::vector<Inbound>> read_inbound(const std::vector<config::Item>& items,
                                          const SecretFinder& secrets);

/// What a call carries.
struct Call {
  std::string_view body = {};
  std::string_view source = {};      ///< X-Webhook-Source
  std::string_view message_id = {};  ///< what `verify` gave
};

/// The raw events of a call, JSON texts. Those without a messageId get one that is the same when
/// the call is repeated: from the sender's id, else from the body. So the log itself drops repeats
/// within its window of 24 hours. Those that name nobody get an anonymousId made the same way.
///
/// Failure: InvalidArgument when the body cannot be read.
Result<std::vector<std::string>> events_of(const Inbound& inbound, const Call& call);

/// The project whose datafile a body of the kind `optimizely` says has changed; empty when it does
/// not say so.
std::string updated_project(const Inbound& inbound, std::string_view body);

}  // namespace edge::webhooks
