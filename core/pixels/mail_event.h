// SPDX-License-Identifier: MIT
// From a fetched pixel, a followed link or an unsubscription to the event in the log (identity
// spec 1.11, 1.12; events spec 1.5). What else the log must know to count rightly are internal
// events, which no profile and no destination sees:
//
//   Email Opened, Email Link Clicked, Unsubscribed   what people did
//   Email Visits Repeated                            how often one of them was seen again at once
//   Email Clicks Reclassified                        clicks that turned out to be a scanner's sweep
//   Email Tokens Rejected                            how many tokens of which status were refused
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/events/network.h"
#include "core/pixels/classify.h"
#include "core/pixels/codec.h"

namespace edge::pixels {

inline constexpr std::string_view kOpened = "Email Opened";
inline constexpr std::string_view kClicked = "Email Link Clicked";
inline constexpr std::string_view kUnsubscribed = "Unsubscribed";
inline constexpr std::string_view kRepeated = "Email Visits Repeated";
inline constexpr std::string_view kReclassified = "Email Clicks Reclassified";
inline constexpr std::string_view kRejected = "Email Tokens Rejected";
/// The source of all of them.
inline constexpr const char* kSource = "pixel";

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

/// A request for an image or through a link, as it came. Owns its texts.
struct Visit {
  TokenKind kind = TokenKind::Open;  ///< which route was asked
  bool is_head = false;
  bool opted_out = false;  ///< GPC or DNT
  Time received_at = {};
  std::string token = {};
  std::string query = {};  ///< as received
  std::string client_ip = {};
  std::string user_agent = {};
  std::string referer = {};
  std::string sec_purpose = {};
  std::string purpose = {};
  std::string x_purpose = {};
  std::string x_moz = {};
};

/// What was found out about a visit.
struct Findings {
  OpenVerdict verdict = {};
  std::string recipient = {};  ///< as it is kept: id, hash, or empty
  bool nameless = false;       ///< opted out: neither address nor program is kept
  bool unique = false;         ///< the recipient's first open (click) of this mail
  bool unique_human = false;   ///< the first that counts as human
  bool late = false;           ///< the token has expired: counted as that and nothing else
};

/// Who visited: the token's recipient, or for a template token what the mail service filled in;
/// empty when nobody is named.
std::string recipient_of(const Visit& visit, const Reading& reading);
/// The recipient as the settings let it be kept. `hash_key` is used for `Recipients::Hash` only.
std::string kept_recipient(const std::string& recipient,
                           const OpenPrivacy& privacy,
                           const crypto::HmacSha256& hash_key);

/// The raw event of an open or click, JSON text for `events::Ingest`. Without a recipient nobody is
/// named and no profile is touched.
std::string visit_event(const Visit& visit,
                        const Reading& reading,
                        const Findings& findings,
                        const OpenPrivacy& privacy,
                        const EventId& id);

/// The raw event of an unsubscription. The same token gives the same messageId, so that a repeated
/// one is found.
std::string unsubscribed_event(const Claims& claims,
                               const std::string& recipient,
                               const std::string& token,
                               Time at);

/// `repeats` more of the visit `first` were seen within the window.
std::string repeated_event(TokenKind kind,
                           const std::string& campaign,
                           const std::string& email,
                           const EventId& first,
                           std::uint64_t repeats,
                           Time at);

/// A stored click that counts as a scanner's from now on.
struct ReclassifiedClick {
  EventId id = {};
  bool was_unique_human = false;
};
std::string reclassified_event(const std::string& campaign,
                               const std::string& email,
                               const std::string& recipient,
                               const std::vector<ReclassifiedClick>& clicks,
                               const EventId& id,
                               Time at);

/// Tokens refused since the last one, by status.
std::string rejected_event(const std::map<std::string, std::uint64_t, std::less<>>& counts,
                           const EventId& id,
                           Time at);

}  // namespace edge::pixels
