// SPDX-License-Identifier: MIT
#include "core/kv/entry.h"

#include <fmt/format.h>

#include "core/encoding/utf8.h"
#include "core/json/document.h"

namespace edge::kv {
namespace {

constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999

Error bad(std::string message, std::string reason) {
  return {ErrorCode::InvalidArgument, std::move(message), {}, std::move(reason)};
}

/// A text that is JSON, without the blanks between its tokens.
std::string compact(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  bool escaped = false;
  for (const char octet : json) {
    const bool is_blank = octet == ' ' || octet == '\t' || octet == '\n' || octet == '\r';
    if (in_string || !is_blank) {
      out += octet;
    }
    if (octet == '"' && !escaped) {
      in_string = !in_string;
    }
    escaped = in_string && octet == '\\' && !escaped;
  }
  return out;
}

}  // namespace

Result<void> check_key(std::string_view key) {
  if (key.empty()) {
    return Failure(bad("the key is empty", "bad_key"));
  }
  if (key.size() > kMaxKeyBytes) {
    return Failure(
        bad(fmt::format("a key has at most {} octets, this one {}", kMaxKeyBytes, key.size()),
            "bad_key"));
  }
  if (key == "." || key == "..") {
    return Failure(bad(fmt::format("\"{}\" cannot be a key", key), "bad_key"));
  }
  if (!encoding::is_utf8(key)) {
    return Failure(bad("a key must be UTF-8", "bad_key"));
  }
  return {};
}

Result<void> check_value(std::size_t octets) {
  if (octets > kMaxValueBytes) {
    return Failure(
        {ErrorCode::TooLarge,
         fmt::format("a value has at most {} octets, this one {}", kMaxValueBytes, octets),
         {},
         "value_too_large"});
  }
  return {};
}

Result<std::string> read_metadata(std::string_view json) {
  if (json.empty()) {
    return std::string{};
  }
  const auto document = json::Document::parse(json, json::kApi);
  if (!document) {
    return Failure(bad("metadata must be JSON text: " + document.error().message, "bad_metadata"));
  }
  if (document->root().is_null()) {
    return std::string{};
  }
  std::string text = compact(json);
  if (text.size() > kMaxMetadataBytes) {
    return Failure(bad(fmt::format("metadata has at most {} octets as compact JSON, this has {}",
                                   kMaxMetadataBytes,
                                   text.size()),
                       "metadata_too_large"));
  }
  return text;
}

Result<std::int64_t> expires_of(const Expiry& expiry, Time now, std::chrono::seconds least) {
  const std::int64_t now_ms = to_ms(now);
  if (expiry.ttl) {
    if (*expiry.ttl < least.count() || *expiry.ttl > kLastSecond - now_ms / 1000) {
      return Failure(bad(
          fmt::format("the time to live is {} seconds or more, not {}", least.count(), *expiry.ttl),
          "bad_expiry"));
    }
    return now_ms + *expiry.ttl * 1000;
  }
  if (!expiry.at) {
    return 0;
  }
  if (*expiry.at > kLastSecond || *expiry.at < (now_ms + 999) / 1000 + least.count()) {
    return Failure(bad(fmt::format("expiration {} must be seconds since 1970 and lie {} seconds or "
                                   "more ahead",
                                   *expiry.at,
                                   least.count()),
                       "bad_expiry"));
  }
  return *expiry.at * 1000;
}

}  // namespace edge::kv
