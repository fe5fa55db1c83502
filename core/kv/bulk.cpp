// SPDX-License-Identifier: MIT
#include "core/kv/bulk.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>

#include "core/encoding/base64.h"
#include "core/encoding/utf8.h"

namespace edge::kv {
namespace {

Error wrong(std::string message, std::string reason = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), {}, std::move(reason)};
}

/// How many seconds a member says, if it is there and not null.
Result<std::optional<std::int64_t>> seconds_in(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  if (!member || member->is_null()) {
    return std::optional<std::int64_t>();
  }
  const auto seconds = member->as_int64();
  return seconds ? Result<std::optional<std::int64_t>>(seconds)
                 : Failure(wrong(fmt::format("{} must be a whole number", name), "bad_expiry"));
}

Result<std::string> value_in(json::Value object) {
  const auto value = object.find("value");
  const auto text = value ? value->as_string() : std::nullopt;
  const auto coded = object.find("base64");
  if (!text || (coded && !coded->is_null() && !coded->is_bool())) {
    return Failure(wrong("value must be a text, base64 true or false"));
  }
  if (!coded || !coded->as_bool().value_or(false)) {
    return std::string(*text);
  }
  auto octets = encoding::base64_decode(*text);
  return octets ? Result<std::string>(std::move(*octets))
                : Failure(wrong("the value is no base64, as the entry says"));
}

}  // namespace

Result<Write> write_of(BulkEntry entry, Time now) {
  const auto fits = check_key(entry.key);
  const auto expires =
      fits ? expires_of(entry.expiry, now) : Result<std::int64_t>(Failure(fits.error()));
  if (!expires) {
    return Failure(expires.error());
  }
  return Write{std::move(entry.key), {std::move(entry.value), std::move(entry.metadata), *expires}};
}

Result<BulkEntry> read_bulk_entry(json::Value object) {
  const auto key = object.find("key");
  const auto name = key ? key->as_string() : std::nullopt;
  if (!name) {
    return Failure(wrong("an entry is an object with the texts key and value"));
  }
  auto value = value_in(object);
  if (!value) {
    return Failure(std::move(value.error()));
  }
  const auto ttl = seconds_in(object, "expiration_ttl");
  const auto at = ttl ? seconds_in(object, "expiration") : ttl;
  if (!at) {
    return Failure(at.error());
  }
  const auto given = object.find("metadata");
  auto metadata = read_metadata(given ? given->raw() : std::string_view{});
  if (!metadata) {
    return Failure(std::move(metadata.error()));
  }
  return BulkEntry{std::string(*name), std::move(*value), std::move(*metadata), {*ttl, *at}};
}

void write_bulk_entry(json::Writer& out, const BulkEntry& entry) {
  out.begin_object().member("key", entry.key);
  if (encoding::is_utf8(entry.value)) {
    out.member("value", entry.value);
  } else {
    out.member("value", encoding::base64_encode(entry.value)).member("base64", true);
  }
  if (entry.expiry.ttl) {
    out.member("expiration_ttl", *entry.expiry.ttl);
  }
  if (entry.expiry.at) {
    out.member("expiration", *entry.expiry.at);
  }
  if (!entry.metadata.empty()) {
    out.key("metadata").raw(entry.metadata);
  }
  out.end_object();
}

}  // namespace edge::kv
