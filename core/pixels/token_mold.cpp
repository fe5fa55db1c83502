// SPDX-License-Identifier: MIT
#include "core/pixels/token_mold.h"

#include <utility>

#include "core/encoding/base64.h"
#include "core/pixels/fields.h"
#include "core/pixels/identifier.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kMaxBytes = 1536;

/// Whether nothing but the ids of a row can make a token of these claims impossible.
bool is_sound(Claims claims) {
  claims.campaign_id = claims.email_id = claims.recipient_id = "x";
  return check(claims).has_value();
}

}  // namespace

TokenMold::TokenMold(Claims constants, const KeyRing& ring, const SealOptions& options)
    : constants_(std::move(constants)),
      ring_(ring),
      options_(options),
      key_(ring.find(options.key_number.value_or(ring.active()))),
      plain_(constants_.kind == TokenKind::Open && constants_.url.empty() &&
             constants_.link_id.empty() && constants_.list_id.empty() && is_sound(constants_)) {
  const auto number = static_cast<char>(options.key_number.value_or(ring.active()));
  head_ += static_cast<char>(0x20U | (options.sealed ? 1U : 0U));
  head_ += number;
  for (int shift = 24; shift >= 0; shift -= 8) {
    head_ += static_cast<char>(constants_.issued_at >> static_cast<unsigned>(shift));
  }
  const auto packed = [](const Claims& claims) {
    std::string fields;
    append_fields(fields, claims);
    return fields;
  };
  if (is_identifier(constants_.campaign_id)) {
    campaign_ = packed({.campaign_id = constants_.campaign_id});
  }
  if (is_identifier(constants_.email_id)) {
    email_ = packed({.email_id = constants_.email_id});
  }
  metadata_ = packed({.metadata = constants_.metadata});
  life_ = packed({.ttl_s = constants_.ttl_s});
}

Result<void> TokenMold::append_checked(std::string& out, const TokenIds& ids) {
  Claims claims = constants_;
  const auto take = [](std::string& into, std::string_view id) {
    if (!id.empty()) {
      into = id;
    }
  };
  take(claims.campaign_id, ids.campaign);
  take(claims.email_id, ids.email);
  take(claims.recipient_id, ids.recipient);
  if (ids.metadata) {
    claims.metadata = *ids.metadata;
  }
  const auto token = seal(claims, ring_, options_);
  if (!token) {
    return Failure(token.error());
  }
  out += *token;
  return {};
}

Result<void> TokenMold::append(std::string& out, const TokenIds& ids) {
  const bool good_campaign =
      ids.campaign.empty() ? !campaign_.empty() : is_identifier(ids.campaign);
  const bool good_email = ids.email.empty() ? !email_.empty() : is_identifier(ids.email);
  if (!plain_ || key_ == nullptr || options_.sealed || !good_campaign || !good_email ||
      !is_identifier(ids.recipient)) {
    return append_checked(out, ids);  // the rare way, which also says what is wrong
  }
  octets_ = head_;
  if (ids.campaign.empty()) {
    octets_ += campaign_;
  } else {
    append_id_field(octets_, IdField::Campaign, ids.campaign);
  }
  if (ids.email.empty()) {
    octets_ += email_;
  } else {
    append_id_field(octets_, IdField::Email, ids.email);
  }
  append_id_field(octets_, IdField::Recipient, ids.recipient);
  if (ids.metadata) {
    append_fields(octets_, {.metadata = std::string(*ids.metadata)});
  } else {
    octets_ += metadata_;
  }
  octets_ += life_;
  if (octets_.size() + kTagBytes > kMaxBytes) {
    return append_checked(out, ids);
  }
  const auto tag = key_->mac.tag(octets_);
  octets_.append(reinterpret_cast<const char*>(tag.data()), kTagBytes);
  encoding::append_base64url(out, octets_);
  return {};
}

}  // namespace edge::pixels
