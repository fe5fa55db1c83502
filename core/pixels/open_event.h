// SPDX-License-Identifier: MIT
// From a fetched pixel to the event `Email Opened` (identity spec 1.11, 1.12; events spec 1.5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/events/network.h"
#include "core/pixels/classify.h"
#include "core/pixels/codec.h"

namespace edge::pixels {

/// What may be kept of who opened a mail.
struct OpenPrivacy {
  events::IpMode ip = events::IpMode::Truncate;
  enum class UserAgent : std::uint8_t { Family, None, Full } user_agent = UserAgent::Family;
  enum class Recipients : std::uint8_t { Id, Hash, None } recipients = Recipients::Id;
  bool respect_gpc = true;  ///< `Sec-GPC: 1` and `DNT: 1` open without identity
};

/// Reads `pixel.user_agent` and `pixel.recipients`. Failure: InvalidArgument naming the key.
Result<OpenPrivacy> open_privacy(events::IpMode ip,
                                 std::string_view user_agent,
                                 std::string_view recipients,
                                 bool respect_gpc);

/// A fetched image, as the request tells it.
struct Open {
  OpenRequest request = {};
  std::string_view token = {};
  std::string_view client_ip = {};
  std::string_view referer = {};
  bool opted_out = false;       ///< GPC, DNT or an opt-out list
  std::string_view query = {};  ///< as received
  Time received_at = {};
};

/// The raw event of an open, JSON text for `events::Ingest`; source `pixel`. Without a recipient,
/// or when identity must not be kept, nobody is named and no profile is touched. `hash_key` is used
/// for `Recipients::Hash` only.
std::string open_event(const Open& open,
                       const Reading& reading,
                       const OpenPrivacy& privacy,
                       const crypto::HmacSha256& hash_key,
                       const EventId& id);

}  // namespace edge::pixels
