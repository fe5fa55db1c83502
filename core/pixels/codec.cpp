// SPDX-License-Identifier: MIT
#include "core/pixels/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/crypto/digest.h"
#include "core/encoding/base64.h"
#include "core/pixels/fields.h"
#include "core/pixels/legacy.h"

namespace edge::pixels {
namespace {

constexpr unsigned kVersion = 2;
constexpr std::size_t kHeadBytes = 6;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kMaxBytes = 1536;
constexpr std::size_t kMaxClickBytes = 3072;

std::size_t max_bytes(TokenKind kind) {
  return kind == TokenKind::Click ? kMaxClickBytes : kMaxBytes;
}

std::string tag_of(const KeyRing::Key& key, std::string_view message) {
  const auto tag = key.mac.tag(message);
  return {reinterpret_cast<const char*>(tag.data()), kTagBytes};
}

/// The octets of a token and what stands in its head.
struct Parts {
  std::string octets;
  TokenKind kind = TokenKind::Open;
  unsigned key_number = 0;
  bool sealed = false;

  [[nodiscard]] std::string_view head() const {
    return std::string_view(octets).substr(0, kHeadBytes);
  }
  [[nodiscard]] std::string_view body() const {
    return std::string_view(octets).substr(kHeadBytes, octets.size() - kHeadBytes - kTagBytes);
  }
  [[nodiscard]] std::string_view tag() const {
    return std::string_view(octets).substr(octets.size() - kTagBytes);
  }
  [[nodiscard]] std::uint32_t issued_at() const {
    std::uint32_t seconds = 0;
    for (std::size_t i = 2; i < kHeadBytes; ++i) {
      seconds = (seconds << 8U) | static_cast<unsigned char>(octets[i]);
    }
    return seconds;
  }
};

/// Steps 2 to 4 of the reading order; Ok means that `parts` is filled.
Status take_apart(std::string_view text, Parts& parts) {
  if (text.size() > kMaxTokenTextBytes) {
    return Status::Malformed;
  }
  auto octets = encoding::base64url_decode(text);
  if (!octets || octets->size() < kHeadBytes + kTagBytes) {
    return Status::Malformed;
  }
  parts.octets = std::move(*octets);
  const auto first = static_cast<unsigned char>(parts.octets[0]);
  if (first >> 4U != kVersion) {
    return Status::UnsupportedVersion;
  }
  const unsigned kind = (first >> 1U) & 7U;
  if (kind > static_cast<unsigned>(TokenKind::Unsubscribe)) {
    return Status::Malformed;
  }
  parts.kind = static_cast<TokenKind>(kind);
  parts.sealed = (first & 1U) != 0;
  parts.key_number = static_cast<unsigned char>(parts.octets[1]);
  return parts.octets.size() > max_bytes(parts.kind) ? Status::Malformed : Status::Ok;
}

Reading reading_of(const Parts& parts, Status status) {
  Reading reading{.status = status, .key_number = parts.key_number, .sealed = parts.sealed};
  if (parts.octets.size() >= kHeadBytes) {
    reading.claims.kind = parts.kind;
    reading.claims.issued_at = parts.issued_at();
  }
  return reading;
}

Status read_body(std::string_view body, Claims& claims) {
  switch (read_fields(body, claims)) {
    case FieldStatus::Ok:
      return Status::Ok;
    case FieldStatus::UnsupportedField:
      return Status::UnsupportedField;
    case FieldStatus::Malformed:
      break;
  }
  return Status::Malformed;
}

Status judge_time(const Claims& claims, const ReadOptions& options) {
  const auto issued = static_cast<std::int64_t>(claims.issued_at);
  const auto expires = claims.expires_at();
  if (expires && options.now_s >= static_cast<std::int64_t>(*expires)) {
    return Status::Expired;
  }
  if (options.max_age_s && options.now_s - issued > *options.max_age_s) {
    return Status::Expired;
  }
  return issued > options.now_s + options.max_future_s ? Status::Future : Status::Ok;
}

bool is_legacy(std::string_view text) {
  return text.find_first_of(".%") != std::string_view::npos;
}

}  // namespace

std::string_view name_of(Status status) {
  static constexpr std::array<std::string_view, 10> kNames{"ok",
                                                           "malformed",
                                                           "unsupported_version",
                                                           "unknown_key",
                                                           "bad_signature",
                                                           "unsupported_field",
                                                           "expired",
                                                           "future",
                                                           "legacy_v1",
                                                           "legacy_v1_bad_hash"};
  return kNames[static_cast<std::size_t>(status)];
}

Result<std::string> seal(const Claims& claims, const KeyRing& ring, const SealOptions& options) {
  if (auto fine = check(claims); !fine) {
    return Failure(fine.error());
  }
  const unsigned number = options.key_number.value_or(ring.active());
  const KeyRing::Key* key = ring.find(number);
  if (key == nullptr) {
    return Failure({ErrorCode::NotFound,
                    fmt::format("no pixel key {} in the key ring", number),
                    "kid",
                    "unknown_key"});
  }
  std::string octets;
  octets += static_cast<char>(kVersion << 4U | static_cast<unsigned>(claims.kind) << 1U |
                              (options.sealed ? 1U : 0U));
  octets += static_cast<char>(number);
  for (int shift = 24; shift >= 0; shift -= 8) {
    octets += static_cast<char>(claims.issued_at >> static_cast<unsigned>(shift));
  }
  append_fields(octets, claims);
  const std::string tag = tag_of(*key, octets);
  if (options.sealed) {
    octets.replace(
        kHeadBytes,
        std::string::npos,
        crypto::aes256_ctr(key->encryption, tag, std::string_view(octets).substr(kHeadBytes)));
  }
  octets += tag;
  if (octets.size() > max_bytes(claims.kind)) {
    return Failure({ErrorCode::TooLarge,
                    fmt::format("the token has {} octets, at most {} are allowed",
                                octets.size(),
                                max_bytes(claims.kind)),
                    {},
                    "too_large"});
  }
  return encoding::base64url_encode(octets);
}

Reading open_token(std::string_view text, const KeyRing& ring, const ReadOptions& options) {
  if (is_legacy(text)) {
    return read_legacy(text);
  }
  Parts parts;
  if (const Status status = take_apart(text, parts); status != Status::Ok) {
    return reading_of(parts, status);
  }
  const KeyRing::Key* key = ring.find(parts.key_number);
  if (key == nullptr) {
    return reading_of(parts, Status::UnknownKey);
  }
  std::string clear(parts.head());
  clear +=
      parts.sealed ? crypto::aes256_ctr(key->encryption, parts.tag(), parts.body()) : parts.body();
  if (!crypto::constant_time_equal(tag_of(*key, clear), parts.tag())) {
    return reading_of(parts, Status::BadSignature);
  }
  Reading reading = reading_of(parts, Status::Ok);
  reading.status = read_body(std::string_view(clear).substr(kHeadBytes), reading.claims);
  if (reading.status == Status::Ok) {
    reading.status = judge_time(reading.claims, options);
  }
  return reading;
}

Reading decode_unchecked(std::string_view text, const KeyRing& ring) {
  if (is_legacy(text)) {
    return read_legacy(text);
  }
  Parts parts;
  if (const Status status = take_apart(text, parts); status != Status::Ok) {
    return reading_of(parts, status);
  }
  std::string body(parts.body());
  if (parts.sealed) {
    const KeyRing::Key* key = ring.find(parts.key_number);
    if (key == nullptr) {
      return reading_of(parts, Status::UnknownKey);
    }
    body = crypto::aes256_ctr(key->encryption, parts.tag(), body);
  }
  Reading reading = reading_of(parts, Status::Ok);
  reading.status = read_body(body, reading.claims);
  return reading;
}

std::string token_in(std::string_view text) {
  std::size_t begin = std::string_view::npos;
  for (const std::string_view route : {"/pixel/track/", "/pixel/click/", "/pixel/unsubscribe/"}) {
    const std::size_t at = text.find(route);
    if (at != std::string_view::npos) {
      begin = std::min(begin, at + route.size());
    }
  }
  if (begin == std::string_view::npos) {
    return std::string(text);
  }
  std::string_view token = text.substr(begin);
  token = token.substr(0, token.find_first_of("?#\"'<> \t\r\n&"));
  for (const std::string_view suffix : {".gif", ".png"}) {
    if (token.ends_with(suffix)) {
      token.remove_suffix(suffix.size());
    }
  }
  return std::string(token);
}

}  // namespace edge::pixels
