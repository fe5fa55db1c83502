// SPDX-License-Identifier: MIT
#include "core/pixels/legacy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/encoding/base64.h"
#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMaxLegacyBytes = 8192;

Reading refused(Status status) {
  return {.status = status, .version = 1};
}

/// Each octet is one Latin-1 code point.
std::string latin1_to_utf8(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    encoding::append_utf8(text, static_cast<unsigned char>(c));
  }
  return text;
}

std::string text_of(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

Reading read_payload(std::string_view text) {
  const auto document = json::Document::parse(text, json::kEvent);
  if (!document || !document->root().is_object()) {
    return refused(Status::Malformed);
  }
  const json::Value root = document->root();
  const auto version = root.find("v");
  if (!version || version->as_string() != "v1") {
    return refused(Status::UnsupportedVersion);
  }
  Reading reading = refused(Status::LegacyV1);
  reading.claims.campaign_id = text_of(root, "c");
  reading.claims.email_id = text_of(root, "e");
  reading.claims.recipient_id = text_of(root, "r");
  if (const auto time = root.find("t")) {
    reading.legacy_timestamp_ms = time->as_double();
  }
  if (const auto metadata = root.find("m"); metadata && metadata->is_object()) {
    reading.claims.metadata = metadata->raw();
  }
  return reading;
}

}  // namespace

std::string legacy_checksum(std::string_view characters) {
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i < characters.size();) {
    const std::uint32_t code_point = encoding::next_code_point(characters, i);
    if (code_point >= 0x10000) {
      hash = hash * 31U + (0xD800U + ((code_point - 0x10000U) >> 10U));
      hash = hash * 31U + (0xDC00U + ((code_point - 0x10000U) & 0x3FFU));
    } else {
      hash = hash * 31U + code_point;
    }
  }
  const auto magnitude = std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(hash)));
  return fmt::format("{:x}", magnitude).substr(0, 8);
}

Reading read_legacy(std::string_view text) {
  if (text.size() > kMaxLegacyBytes) {
    return refused(Status::Malformed);
  }
  std::string decoded(text);
  if (text.find('%') != std::string_view::npos) {
    auto once = encoding::percent_decode(text);
    if (!once) {
      return refused(Status::Malformed);
    }
    decoded = std::move(*once);
  }
  if (std::ranges::count(decoded, '.') != 1 || !encoding::is_utf8(decoded)) {
    return refused(Status::Malformed);
  }
  const std::string_view body = std::string_view(decoded).substr(0, decoded.find('.'));
  const std::string_view checksum = std::string_view(decoded).substr(body.size() + 1);
  const auto octets = encoding::base64_decode(body);
  if (!octets || body.empty()) {
    return refused(Status::Malformed);
  }
  if (checksum != legacy_checksum(body)) {
    return refused(Status::LegacyV1BadHash);
  }
  return read_payload(latin1_to_utf8(*octets));
}

}  // namespace edge::pixels
