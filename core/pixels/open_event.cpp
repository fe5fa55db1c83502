// SPDX-License-Identifier: MIT
#include "core/pixels/open_event.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/encoding/hex.h"
#include "core/encoding/percent.h"
#include "core/events/event.h"
#include "core/events/user_agent.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/placeholder.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMaxQueryPairs = 10;
constexpr std::size_t kMaxQueryBytes = 256;
/// A placeholder that identity resolution never takes for a person (events spec 5.1).
constexpr std::string_view kNobody = "anonymous";

/// Who opened it: the token's recipient, or for a template token what the mail service filled in.
std::string recipient_of(const Open& open, const Reading& reading) {
  if (reading.claims.recipient_id != "*") {
    return reading.claims.recipient_id;
  }
  return filled_in_recipient(open.query);
}

std::string kept(const std::string& recipient,
                 const Open& open,
                 const OpenPrivacy& privacy,
                 const crypto::HmacSha256& key) {
  if (recipient.empty() || open.opted_out || privacy.recipients == OpenPrivacy::Recipients::None) {
    return {};
  }
  if (privacy.recipients == OpenPrivacy::Recipients::Id) {
    return recipient;
  }
  const auto tag = key.tag(recipient);
  return "h-" + encoding::hex_encode({reinterpret_cast<const char*>(tag.data()), 16});
}

void write_properties(json::Writer& out,
                      const Open& open,
                      const Claims& claims,
                      const std::string& recipient) {
  out.key("properties").begin_object();
  if (const auto metadata = json::Document::parse(claims.metadata, json::kStrict)) {
    for (const auto& [name, value] : metadata->root().members()) {
      const bool ours =
          name == "pixelId" || name == "campaignId" || name == "emailId" || name == "recipientId";
      if (!ours) {
        out.key(name).value(value);
      }
    }
  }
  out.key("pixelId").string(open.token);
  out.member("campaignId", claims.campaign_id).member("emailId", claims.email_id);
  if (!recipient.empty()) {
    out.member("recipientId", recipient);
  }
  out.end_object();
}

void write_query(json::Writer& out, const Open& open) {
  if (open.query.empty()) {
    return;
  }
  out.key("queryParams").begin_object();
  std::size_t count = 0;
  for (const auto& [name, value] : encoding::parse_form(open.query)) {
    const bool fits =
        name.size() <= kMaxQueryBytes && value.size() <= kMaxQueryBytes && name != "r";
    if (fits && count++ < kMaxQueryPairs) {
      out.member(name, value);
    }
  }
  out.end_object();
}

void write_pixel(json::Writer& out, const Open& open, const Reading& reading) {
  const OpenVerdict verdict = classify(open.request);
  out.key("pixel").begin_object().member("openClass", std::string(name_of(verdict.open_class)));
  out.member("openRule", std::string(verdict.rule)).member("machineOpen", verdict.is_machine());
  out.member("authenticated", reading.authenticated());
  if (reading.claims.recipient_id == "*") {
    out.member("recipientAuthenticated", false);
  }
  write_query(out, open);
  out.end_object();
}

void write_client(json::Writer& out, const Open& open, const OpenPrivacy& privacy) {
  if (open.opted_out) {
    return;
  }
  if (const auto ip = events::anonymise(open.client_ip, privacy.ip)) {
    out.member("ip", *ip);
  }
  if (!open.referer.empty()) {
    out.key("page").begin_object().key("referrer").string(open.referer).end_object();
  }
  const std::string_view agent = open.request.user_agent;
  if (agent.empty() || privacy.user_agent == OpenPrivacy::UserAgent::None) {
    return;
  }
  if (privacy.user_agent == OpenPrivacy::UserAgent::Full) {
    out.key("userAgent").string(agent);
    return;
  }
  const auto family = events::read_user_agent(agent);
  if (!family.browser.empty()) {
    out.key("browser").begin_object().key("name").string(family.browser).end_object();
  }
  if (!family.os.empty()) {
    out.key("os").begin_object().key("name").string(family.os).end_object();
  }
}

}  // namespace

Result<OpenPrivacy> open_privacy(events::IpMode ip,
                                 std::string_view user_agent,
                                 std::string_view recipients,
                                 bool respect_gpc) {
  OpenPrivacy privacy{.ip = ip, .respect_gpc = respect_gpc};
  if (user_agent == "none" || user_agent == "full") {
    privacy.user_agent =
        user_agent == "none" ? OpenPrivacy::UserAgent::None : OpenPrivacy::UserAgent::Full;
  } else if (user_agent != "family") {
    return Failure({ErrorCode::InvalidArgument,
                    "pixel.user_agent must be family, none or full",
                    "pixel.user_agent"});
  }
  if (recipients == "hash" || recipients == "none") {
    privacy.recipients =
        recipients == "hash" ? OpenPrivacy::Recipients::Hash : OpenPrivacy::Recipients::None;
  } else if (recipients != "id") {
    return Failure({ErrorCode::InvalidArgument,
                    "pixel.recipients must be id, hash or none",
                    "pixel.recipients"});
  }
  return privacy;
}

std::string open_event(const Open& open,
                       const Reading& reading,
                       const OpenPrivacy& privacy,
                       const crypto::HmacSha256& hash_key,
                       const EventId& id) {
  const std::string recipient = kept(recipient_of(open, reading), open, privacy, hash_key);
  json::Writer out;
  out.begin_object()
      .member("type", "track")
      .member("event", "Email Opened")
      .member("messageId", id.text);
  if (recipient.empty()) {
    out.key("anonymousId").string(kNobody);
  } else {
    out.member("userId", recipient);
  }
  out.member("timestamp", events::format_time(open.received_at));
  write_properties(out, open, reading.claims, recipient);
  out.key("context").begin_object();
  write_pixel(out, open, reading);
  out.key("campaign").begin_object().member("id", reading.claims.campaign_id).end_object();
  write_client(out, open, privacy);
  out.member("source", "pixel").end_object();
  return out.end_object().take();
}

}  // namespace edge::pixels
