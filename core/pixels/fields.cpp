// SPDX-License-Identifier: MIT
#include "core/pixels/fields.h"

#include "core/pixels/identifier.h"

namespace edge::pixels {
namespace {

constexpr unsigned kCampaignId = 1;
constexpr unsigned kEmailId = 2;
constexpr unsigned kRecipientId = 3;
constexpr unsigned kMetadata = 4;
constexpr unsigned kTtl = 5;
constexpr unsigned kUrl = 6;
constexpr unsigned kLinkId = 7;
constexpr unsigned kListId = 8;
constexpr unsigned kFirstCritical = 12;

constexpr unsigned kTextEncoding = 0;
constexpr unsigned kNumberEncoding = 2;
constexpr unsigned kJsonEncoding = 4;

void append_field(std::string& out, unsigned number, unsigned encoding, std::string_view value) {
  out += static_cast<char>(number << 4U | encoding);
  if (value.size() >= 128) {
    out += static_cast<char>(0x80U | (value.size() >> 8U));
  }
  out += static_cast<char>(value.size() & 0xFFU);
  out += value;
}

void append_id(std::string& out, unsigned number, std::string_view text) {
  if (text.empty()) {
    return;
  }
  // Packed values have at most 255 octets; room for the longer length is taken back.
  const std::size_t begin = out.size();
  out.append(3, '\0');
  const Packing packing = append_packed(out, text);
  const std::size_t length = out.size() - begin - 3;
  out[begin] = static_cast<char>(number << 4U | static_cast<unsigned>(packing));
  if (length >= 128) {
    out[begin + 1] = static_cast<char>(0x80U | (length >> 8U));
    out[begin + 2] = static_cast<char>(length & 0xFFU);
  } else {
    out[begin + 1] = static_cast<char>(length);
    out.erase(begin + 2, 1);
  }
}

std::string* id_of(Claims& claims, unsigned number) {
  switch (number) {
    case kCampaignId:
      return &claims.campaign_id;
    case kEmailId:
      return &claims.email_id;
    case kRecipientId:
      return &claims.recipient_id;
    case kLinkId:
      return &claims.link_id;
    case kListId:
      return &claims.list_id;
    default:
      return nullptr;
  }
}

bool read_ttl(std::string_view value, Claims& claims) {
  if (value.empty() || value.size() > 4 || value.front() == '\0') {
    return false;
  }
  for (const char c : value) {
    claims.ttl_s = (claims.ttl_s << 8U) | static_cast<unsigned char>(c);
  }
  return true;
}

bool read_field(unsigned number, unsigned encoding, std::string_view value, Claims& claims) {
  if (std::string* id = id_of(claims, number)) {
    const auto text = encoding <= 3 ? unpack(static_cast<Packing>(encoding), value) : std::nullopt;
    if (!text) {
      return false;
    }
    *id = *text;
    return true;
  }
  switch (number) {
    case kMetadata: {
      const auto canonical = canonical_metadata(value);
      claims.metadata = value;
      return encoding == kJsonEncoding && canonical && *canonical == value;
    }
    case kTtl:
      return encoding == kNumberEncoding && read_ttl(value, claims);
    case kUrl:
      claims.url = value;
      return encoding == kTextEncoding;
    default:
      return true;  // 9 to 11: skipped
  }
}

/// Takes a length off the front; false when it is broken or spelled with more octets than needed.
bool take_length(std::string_view& rest, std::size_t& length) {
  if (rest.empty()) {
    return false;
  }
  length = static_cast<unsigned char>(rest[0]);
  rest.remove_prefix(1);
  if (length < 0x80) {
    return true;
  }
  if (rest.empty()) {
    return false;
  }
  length = (length & 0x7FU) << 8U | static_cast<unsigned char>(rest[0]);
  rest.remove_prefix(1);
  return length >= 128;
}

}  // namespace

void append_fields(std::string& out, const Claims& claims) {
  append_id(out, kCampaignId, claims.campaign_id);
  append_id(out, kEmailId, claims.email_id);
  append_id(out, kRecipientId, claims.recipient_id);
  if (!claims.metadata.empty()) {
    append_field(out, kMetadata, kJsonEncoding, claims.metadata);
  }
  if (claims.ttl_s != 0) {
    std::string octets;
    for (std::uint32_t rest = claims.ttl_s; rest != 0; rest >>= 8U) {
      octets.insert(octets.begin(), static_cast<char>(rest & 0xFFU));
    }
    append_field(out, kTtl, kNumberEncoding, octets);
  }
  if (!claims.url.empty()) {
    append_field(out, kUrl, kTextEncoding, claims.url);
  }
  append_id(out, kLinkId, claims.link_id);
  append_id(out, kListId, claims.list_id);
}

void append_id_field(std::string& out, IdField field, std::string_view id) {
  append_id(out, static_cast<unsigned>(field), id);
}

FieldStatus read_fields(std::string_view body, Claims& claims) {
  unsigned last = 0;
  while (!body.empty()) {
    const auto head = static_cast<unsigned char>(body[0]);
    const unsigned number = head >> 4U;
    const unsigned encoding = head & 15U;
    body.remove_prefix(1);
    std::size_t length = 0;
    if (number <= last || encoding > kJsonEncoding || !take_length(body, length) ||
        length > body.size()) {
      return FieldStatus::Malformed;
    }
    if (number >= kFirstCritical) {
      return FieldStatus::UnsupportedField;
    }
    if (!read_field(number, encoding, body.substr(0, length), claims)) {
      return FieldStatus::Malformed;
    }
    body.remove_prefix(length);
    last = number;
  }
  return check(claims) ? FieldStatus::Ok : FieldStatus::Malformed;
}

}  // namespace edge::pixels
