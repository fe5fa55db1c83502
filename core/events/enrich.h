// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/events/draft.h"
#include "core/events/network.h"

namespace edge::events {

/// Where an event comes from and what the request that carried it says. Views need to live only
/// during the call that takes it; whatever is not known stays empty.
struct Origin {
  std::string_view source = "internal";  ///< name of the source; with the messageId the dedupe key
  Time received_at = {};                 ///< when the request head was complete; 1970 = now
  std::uint32_t hops = 0;                ///< daemons that forwarded it before (X-Edge-Hops)
  std::string_view client_ip = {};
  std::string_view user_agent = {};       ///< User-Agent
  std::string_view accept_language = {};  ///< Accept-Language
  bool gpc = false;                       ///< Sec-GPC: 1
  bool dnt = false;                       ///< DNT: 1
  bool anonymous = false;                 ///< SP-Anonymous: *
  bool is_own = false;                    ///< made here: nobody's consent is asked
  bool may_be_internal = false;           ///< its form was given here: `context.internal` counts
  IpMode ip = IpMode::Truncate;           ///< of the source, tightened by X-IP-Policy
};

/// Adds to the context what the request and the event itself tell (events spec 3), as patches;
/// never overwrites what the client sent, but for the address of client-side events. The address is
/// shortened as `origin.ip` demands (spec 10). Pure.
void enrich(Draft& draft, const Origin& origin);

}  // namespace edge::events
