// SPDX-License-Identifier: MIT
#include "core/pixels/record.h"

#include <array>
#include <limits>
#include <string>

namespace edge::pixels {
namespace {

constexpr std::uint64_t kMaxSeconds = std::numeric_limits<std::uint32_t>::max();

tl::unexpected<Error> refuse(std::string_view field,
                             std::string_view what,
                             std::string_view reason) {
  return Failure({ErrorCode::InvalidArgument,
                  std::string(field) + " " + std::string(what),
                  std::string(field),
                  std::string(reason)});
}

/// The member when it is there and not null.
std::optional<json::Value> given(json::Value record, std::string_view name) {
  const auto value = record.find(name);
  return value && !value->is_null() ? value : std::nullopt;
}

Result<TokenKind> kind_of(json::Value record, TokenKind fallback) {
  const auto value = given(record, "kind");
  if (!value) {
    return fallback;
  }
  for (const TokenKind kind : {TokenKind::Open, TokenKind::Click, TokenKind::Unsubscribe}) {
    if (value->as_string() == name_of(kind)) {
      return kind;
    }
  }
  return refuse("kind", "must be open, click or unsubscribe", "invalid_kind");
}

Result<void> read_texts(json::Value record, Claims& claims) {
  const std::array<std::pair<std::string_view, std::string*>, 6> texts{
      {{"campaignId", &claims.campaign_id},
       {"emailId", &claims.email_id},
       {"recipientId", &claims.recipient_id},
       {"url", &claims.url},
       {"linkId", &claims.link_id},
       {"listId", &claims.list_id}}};
  for (const auto& [name, text] : texts) {
    const auto value = given(record, name);
    if (!value) {
      continue;
    }
    const auto content = value->as_string();
    if (!content) {
      return refuse(name, "must be a string", name == "url" ? "invalid_url" : "invalid_id");
    }
    *text = *content;
  }
  return {};
}

Result<void> read_numbers(json::Value record, Claims& claims) {
  if (const auto value = given(record, "issuedAt")) {
    const auto seconds = value->as_uint64();
    if (!seconds || *seconds > kMaxSeconds) {
      return refuse("issuedAt", "must be Unix seconds from 0 to 4294967295", "invalid_timestamp");
    }
    claims.issued_at = static_cast<std::uint32_t>(*seconds);
  }
  if (const auto value = given(record, "ttl")) {
    const auto seconds = value->as_uint64();
    if (!seconds || *seconds == 0 || *seconds > kMaxSeconds) {
      return refuse("ttl", "must be seconds from 1 to 4294967295", "invalid_ttl");
    }
    claims.ttl_s = static_cast<std::uint32_t>(*seconds);
  }
  return {};
}

void write_text(json::Writer& out, std::string_view name, const std::string& text) {
  if (!text.empty()) {
    out.member(name, text);
  }
}

}  // namespace

Result<Claims> claims_of(json::Value record,
                         TokenKind default_kind,
                         std::uint32_t default_issued_at) {
  if (!record.is_object()) {
    return refuse("record", "must be a JSON object", "missing_field");
  }
  const auto kind = kind_of(record, default_kind);
  if (!kind) {
    return Failure(kind.error());
  }
  Claims claims{.kind = *kind, .issued_at = default_issued_at};
  if (auto done = read_texts(record, claims); !done) {
    return Failure(done.error());
  }
  if (auto done = read_numbers(record, claims); !done) {
    return Failure(done.error());
  }
  if (const auto metadata = given(record, "metadata")) {
    auto canonical = canonical_metadata(metadata->raw());
    if (!canonical) {
      return Failure(canonical.error());
    }
    claims.metadata = std::move(*canonical);
  }
  if (auto fine = check(claims); !fine) {
    return Failure(fine.error());
  }
  return claims;
}

void write_contents(json::Writer& out, const Reading& reading) {
  const Claims& claims = reading.claims;
  if (reading.version == 1) {
    out.member("version", 1).member("authenticated", false);
  } else {
    out.member("version", 2).member("kind", std::string(name_of(claims.kind)));
    out.member("keyId", std::uint64_t{reading.key_number}).member("sealed", reading.sealed);
    out.member("issuedAt", std::uint64_t{claims.issued_at}).key("expiresAt");
    if (const auto expires = claims.expires_at()) {
      out.unsigned_integer(*expires);
    } else {
      out.null();
    }
  }
  write_text(out, "campaignId", claims.campaign_id);
  write_text(out, "emailId", claims.email_id);
  write_text(out, "recipientId", claims.recipient_id);
  if (reading.legacy_timestamp_ms) {
    out.key("timestamp").number(*reading.legacy_timestamp_ms);
  }
  if (!claims.metadata.empty()) {
    out.key("metadata").raw(claims.metadata);
  }
  write_text(out, "url", claims.url);
  write_text(out, "linkId", claims.link_id);
  write_text(out, "listId", claims.list_id);
}

void write_reading(json::Writer& out, const Reading& reading) {
  out.member("status", std::string(name_of(reading.status)));
  if (reading.has_claims()) {
    write_contents(out, reading);
  }
}

namespace {

void write_lifetime(json::Writer& out, const Generated& made) {
  out.member("keyId", std::uint64_t{made.key_number}).key("expiresAt");
  if (const auto expires = made.claims.expires_at()) {
    out.unsigned_integer(*expires);
  } else {
    out.null();
  }
}

void write_metadata_and_time(json::Writer& out, const Claims& claims) {
  if (!claims.metadata.empty()) {
    out.key("metadata").raw(claims.metadata);
  }
  out.member("timestamp", std::uint64_t{claims.issued_at} * 1000);
}

}  // namespace

std::string generated_json(const Generated& pixel, std::string_view schema) {
  const Claims& claims = pixel.claims;
  json::Writer out;
  out.begin_object();
  if (!schema.empty()) {
    out.member("schema", std::string(schema));
  }
  out.member("pixelId", pixel.token).member("pixelUrl", pixel.url);
  const std::string html = snippet(Snippet::Html, pixel.url, pixel.style, pixel.merge_tag);
  out.member("pixelHTML", html).member("htmlTag", html);
  out.member("ampHTML", snippet(Snippet::Amp, pixel.url, pixel.style, pixel.merge_tag));
  out.key("data")
      .begin_object()
      .member("campaignId", claims.campaign_id)
      .member("emailId", claims.email_id);
  out.member("recipientId", claims.recipient_id);
  write_metadata_and_time(out, claims);
  out.end_object();
  write_lifetime(out, pixel);
  return out.end_object().take();
}

std::string generated_link_json(const Generated& link, std::string_view schema) {
  const Claims& claims = link.claims;
  json::Writer out;
  out.begin_object().member("schema", schema).member("token", link.token);
  out.member("linkUrl", link.url).key("data").begin_object().member("url", claims.url);
  write_text(out, "campaignId", claims.campaign_id);
  write_text(out, "emailId", claims.email_id);
  write_text(out, "recipientId", claims.recipient_id);
  write_text(out, "linkId", claims.link_id);
  write_metadata_and_time(out, claims);
  out.end_object();
  write_lifetime(out, link);
  return out.end_object().take();
}

}  // namespace edge::pixels
