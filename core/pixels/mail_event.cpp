// SPDX-License-Identifier: MIT
#include "core/pixels/mail_event.h"

#include <optional>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"
#include "core/events/event.h"
#include "core/events/user_agent.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/placeholder.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMaxQueryPairs = 10;
constexpr std::size_t kMaxQueryBytes = 256;
constexpr std::size_t kMaxFieldBytes = 2'048;
/// A placeholder that identity resolution never takes for a person (events spec 5.1).
constexpr std::string_view kNobody = "anonymous";

/// A text of the request as it may stand in an event: UTF-8, not too long; else empty.
std::string_view clean(std::string_view text, std::size_t limit) {
  return text.size() <= limit && encoding::is_utf8(text) ? text : std::string_view{};
}

void begin_event(json::Writer& out, std::string_view name, std::string_view id, Time at) {
  out.begin_object().member("type", "track").member("event", name).member("messageId", id);
  out.member("timestamp", events::format_time(at));
}

void write_person(json::Writer& out, const std::string& recipient) {
  if (recipient.empty()) {
    out.key("anonymousId").string(kNobody);
  } else {
    out.member("userId", recipient);
  }
}

/// Begins `context` of an event that only the counters read.
void begin_internal_context(json::Writer& out) {
  out.key("context").begin_object().member("internal", true).member("source", kSource);
}

void write_text(json::Writer& out, std::string_view name, const std::string& text) {
  if (!text.empty()) {
    out.member(name, text);
  }
}

bool is_our_property(std::string_view name) {
  return name == "pixelId" || name == "campaignId" || name == "emailId" || name == "recipientId" ||
         name == "url" || name == "linkId";
}

void write_properties(json::Writer& out,
                      const Visit& visit,
                      const Claims& claims,
                      const std::string& recipient) {
  out.key("properties").begin_object();
  if (const auto metadata = json::Document::parse(claims.metadata, json::kStrict)) {
    for (const auto& [name, value] : metadata->root().members()) {
      if (!is_our_property(name)) {
        out.key(name).value(value);
      }
    }
  }
  if (visit.kind == TokenKind::Open) {
    out.member("pixelId", visit.token);
  }
  write_text(out, "campaignId", claims.campaign_id);
  write_text(out, "emailId", claims.email_id);
  write_text(out, "recipientId", recipient);
  write_text(out, "url", claims.url);
  write_text(out, "linkId", claims.link_id);
  out.end_object();
}

void write_query(json::Writer& out, const Visit& visit) {
  if (visit.query.empty()) {
    return;
  }
  out.key("queryParams").begin_object();
  std::size_t count = 0;
  for (const auto& [name, value] : encoding::parse_form(visit.query)) {
    const bool fits =
        name != "r" && clean(name, kMaxQueryBytes) == name && clean(value, kMaxQueryBytes) == value;
    if (fits && count++ < kMaxQueryPairs) {
      out.member(name, value);
    }
  }
  out.end_object();
}

void write_findings(json::Writer& out,
                    const Visit& visit,
                    const Reading& reading,
                    const Findings& findings) {
  const OpenVerdict& verdict = findings.verdict;
  out.key("pixel").begin_object().member("openClass", name_of(verdict.open_class));
  out.member("openRule", verdict.rule).member("machineOpen", verdict.is_machine());
  if (verdict.counted == CountedAs::Nothing) {
    out.member("counted", false);
  }
  out.member("authenticated", reading.authenticated());
  if (reading.claims.recipient_id == "*") {
    out.member("recipientAuthenticated", false);
  }
  out.member("unique", findings.unique).member("uniqueHuman", findings.unique_human);
  out.member("duplicate", false);
  if (findings.late) {
    out.member("late", true);
  }
  write_query(out, visit);
  out.end_object();
}

void write_client(json::Writer& out,
                  const Visit& visit,
                  const Findings& findings,
                  const OpenPrivacy& privacy) {
  if (findings.nameless) {
    return;
  }
  if (const auto ip = events::anonymise(visit.client_ip, privacy.ip)) {
    out.member("ip", *ip);
  }
  if (const auto referer = clean(visit.referer, kMaxFieldBytes); !referer.empty()) {
    out.key("page").begin_object().member("referrer", referer).end_object();
  }
  const std::string_view agent = clean(visit.user_agent, kMaxFieldBytes);
  if (agent.empty() || privacy.user_agent == OpenPrivacy::UserAgent::None) {
    return;
  }
  if (privacy.user_agent == OpenPrivacy::UserAgent::Full) {
    out.member("userAgent", agent);
    return;
  }
  const auto family = events::read_user_agent(agent);
  if (!family.browser.empty()) {
    out.key("browser").begin_object().member("name", family.browser).end_object();
  }
  if (!family.os.empty()) {
    out.key("os").begin_object().member("name", family.os).end_object();
  }
}

void write_campaign(json::Writer& out, const std::string& campaign) {
  if (!campaign.empty()) {
    out.key("campaign").begin_object().member("id", campaign).end_object();
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

std::string recipient_of(const Visit& visit, const Reading& reading) {
  return reading.claims.recipient_id == "*" ? filled_in_recipient(visit.query)
                                            : reading.claims.recipient_id;
}

std::string kept_recipient(const std::string& recipient,
                           const OpenPrivacy& privacy,
                           const crypto::HmacSha256& hash_key) {
  if (recipient.empty() || privacy.recipients == OpenPrivacy::Recipients::None) {
    return {};
  }
  if (privacy.recipients == OpenPrivacy::Recipients::Id) {
    return recipient;
  }
  const auto tag = hash_key.tag(recipient);
  return "h-" + encoding::hex_encode({reinterpret_cast<const char*>(tag.data()), 16});
}

std::string visit_event(const Visit& visit,
                        const Reading& reading,
                        const Findings& findings,
                        const OpenPrivacy& privacy,
                        const EventId& id) {
  json::Writer out;
  begin_event(out, visit.kind == TokenKind::Click ? kClicked : kOpened, id.text, visit.received_at);
  write_person(out, findings.recipient);
  write_properties(out, visit, reading.claims, findings.recipient);
  out.key("context").begin_object();
  if (findings.late) {
    out.member("internal", true);
  }
  write_findings(out, visit, reading, findings);
  write_campaign(out, reading.claims.campaign_id);
  write_client(out, visit, findings, privacy);
  out.member("source", kSource).end_object();
  return out.end_object().take();
}

std::string unsubscribed_event(const Claims& claims,
                               const std::string& recipient,
                               const std::string& token,
                               Time at) {
  const std::string digest = encoding::hex_encode(crypto::sha256(token).substr(0, 16));
  json::Writer out;
  begin_event(out, kUnsubscribed, "unsubscribe-" + digest, at);
  write_person(out, recipient);
  out.key("properties").begin_object();
  write_text(out, "campaignId", claims.campaign_id);
  write_text(out, "emailId", claims.email_id);
  write_text(out, "recipientId", recipient);
  out.member("listId", claims.list_id).end_object().key("context").begin_object();
  out.key("pixel").begin_object().member("authenticated", true).end_object();
  write_campaign(out, claims.campaign_id);
  out.member("source", kSource).end_object();
  return out.end_object().take();
}

std::string repeated_event(TokenKind kind,
                           const std::string& campaign,
                           const std::string& email,
                           const EventId& first,
                           std::uint64_t repeats,
                           Time at) {
  json::Writer out;
  begin_event(out, kRepeated, "repeated-" + first.text, at);
  write_person(out, {});
  out.key("properties").begin_object().member("kind", name_of(kind));
  write_text(out, "campaignId", campaign);
  write_text(out, "emailId", email);
  out.member("firstId", first.text).member("repeats", repeats).end_object();
  begin_internal_context(out);
  return out.end_object().end_object().take();
}

std::string reclassified_event(const std::string& campaign,
                               const std::string& email,
                               const std::string& recipient,
                               const std::vector<ReclassifiedClick>& clicks,
                               const EventId& id,
                               Time at) {
  json::Writer out;
  begin_event(out, kReclassified, id.text, at);
  write_person(out, {});
  out.key("properties").begin_object();
  write_text(out, "campaignId", campaign);
  write_text(out, "emailId", email);
  write_text(out, "recipientId", recipient);
  out.member("openClass", name_of(OpenClass::Scanner)).key("clicks").begin_array();
  for (const ReclassifiedClick& click : clicks) {
    out.begin_object().member("messageId", click.id.text);
    out.member("wasUniqueHuman", click.was_unique_human).end_object();
  }
  out.end_array().end_object();
  begin_internal_context(out);
  return out.end_object().end_object().take();
}

std::string rejected_event(const std::map<std::string, std::uint64_t, std::less<>>& counts,
                           const EventId& id,
                           Time at) {
  json::Writer out;
  begin_event(out, kRejected, id.text, at);
  write_person(out, {});
  out.key("properties").begin_object();
  for (const auto& [status, count] : counts) {
    out.member(status, count);
  }
  out.end_object();
  begin_internal_context(out);
  return out.end_object().end_object().take();
}

}  // namespace edge::pixels
