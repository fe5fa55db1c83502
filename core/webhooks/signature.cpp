// SPDX-License-Identifier: MIT
#include "core/webhooks/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/crypto/webhook_signature.h"
#include "core/encoding/base64.h"
#include "core/encoding/hex.h"
#include "core/json/document.h"

namespace edge::webhooks {
namespace {

constexpr std::array<std::pair<std::string_view, Scheme>, 5> kSchemes{
    {{"standard", Scheme::Standard},
     {"segment", Scheme::Segment},
     {"hub-sha1", Scheme::HubSha1},
     {"hub-sha256", Scheme::HubSha256},
     {"hmac", Scheme::Hmac}}};

tl::unexpected<Error> refused(const char* reason) {
  return Failure({ErrorCode::Unauthenticated, "the signature is not valid", {}, reason});
}

/// What a scheme with one field is like.
struct Form {
  std::string_view field;
  crypto::Hash algorithm;
  std::string_view prefix;
  bool base64;
};

Form form_of(const Signing& signing) {
  switch (signing.scheme) {
    case Scheme::Segment:
      return {"x-signature", crypto::Hash::Sha1, "", false};
    case Scheme::HubSha1:
      return {"x-hub-signature", crypto::Hash::Sha1, "sha1=", false};
    case Scheme::HubSha256:
      return {"x-hub-signature-256", crypto::Hash::Sha256, "sha256=", false};
    case Scheme::Standard:
    case Scheme::Hmac:
      break;
  }
  return {signing.field, signing.algorithm, signing.prefix, signing.base64};
}

/// What the signature is over: Segment signs a list by its first element, as it was sent.
std::string signed_part(Scheme scheme, std::string_view body) {
  if (scheme == Scheme::Segment) {
    const auto document = json::Document::parse(body, json::kEvent);
    const auto first = document ? document->root().at(0) : std::nullopt;
    if (first) {
      return std::string(first->raw());
    }
  }
  return std::string(body);
}

Result<std::string> verify_form(const Signing& signing,
                                const Fields& fields,
                                std::string_view body) {
  const Form form = form_of(signing);
  const auto given = fields(form.field);
  if (!given) {
    return refused("missing_header");
  }
  if (!given->starts_with(form.prefix)) {
    return refused("bad_format");
  }
  const std::string_view text = given->substr(form.prefix.size());
  const auto octets = form.base64 ? encoding::base64_decode(text) : encoding::hex_decode(text);
  if (!octets || octets->empty()) {
    return refused("bad_format");
  }
  const std::string part = signed_part(signing.scheme, body);
  bool matches = false;
  for (const std::string& secret : signing.secrets) {
    matches =
        crypto::constant_time_equal(crypto::hmac(form.algorithm, secret, part), *octets) || matches;
  }
  return matches ? Result<std::string>(std::string()) : refused("mismatch");
}

/// Whether one of the `v1,…` entries is right for one of the secrets.
bool any_matches(const Signing& signing,
                 std::string_view entries,
                 std::string_view id,
                 std::int64_t seconds,
                 std::string_view body) {
  std::vector<std::string> expected;
  for (const std::string& secret : signing.secrets) {
    if (auto key = crypto::webhook_key(secret)) {
      const std::vector<std::string> one{std::move(*key)};
      expected.push_back(crypto::webhook_signature(one, id, seconds, body));
    }
  }
  bool matches = false;
  while (!entries.empty()) {
    const std::size_t end = std::min(entries.find(' '), entries.size());
    for (const std::string& signature : expected) {
      matches = crypto::constant_time_equal(signature, entries.substr(0, end)) || matches;
    }
    entries.remove_prefix(std::min(end + 1, entries.size()));
  }
  return matches;
}

Result<std::string> verify_standard(const Signing& signing,
                                    const Fields& fields,
                                    std::string_view body,
                                    Time now) {
  const auto field = [&](const std::string& name) {
    const auto value = fields("webhook-" + name);
    return value ? value : fields("svix-" + name);
  };
  const auto id = field("id");
  const auto timestamp = field("timestamp");
  const auto signature = field("signature");
  if (!id || !timestamp || !signature || id->empty()) {
    return refused("missing_header");
  }
  std::int64_t seconds = 0;
  const char* last = timestamp->data() + timestamp->size();
  const auto [end, error] = std::from_chars(timestamp->data(), last, seconds);
  if (error != std::errc{} || end != last || seconds < 0) {
    return refused("bad_timestamp");
  }
  const std::int64_t now_seconds = to_ms(now) / 1000;
  if (seconds < now_seconds - signing.tolerance.count()) {
    return refused("too_old");
  }
  if (seconds > now_seconds + signing.tolerance.count()) {
    return refused("too_new");
  }
  return any_matches(signing, *signature, *id, seconds, body)
             ? Result<std::string>(std::string(*id))
             : refused("mismatch");
}

}  // namespace

std::string_view name_of(Scheme scheme) {
  return std::ranges::find(kSchemes, scheme, &std::pair<std::string_view, Scheme>::second)->first;
}

std::optional<Scheme> scheme_of(std::string_view name) {
  const auto found = std::ranges::find(kSchemes, name, &std::pair<std::string_view, Scheme>::first);
  return found == kSchemes.end() ? std::nullopt : std::optional(found->second);
}

Result<void> check(const Signing& signing) {
  if (signing.scheme == Scheme::Hmac && signing.field.empty()) {
    return Failure({ErrorCode::InvalidArgument,
                    "the scheme hmac needs the name of the field that carries the signature",
                    "header"});
  }
  for (const std::string& secret : signing.secrets) {
    if (secret.empty()) {
      return Failure({ErrorCode::InvalidArgument, "a webhook secret is empty", "secret"});
    }
    if (signing.scheme == Scheme::Standard) {
      if (const auto key = crypto::webhook_key(secret); !key) {
        Error error = key.error();
        error.field = "secret";
        return Failure(std::move(error));
      }
    }
  }
  return {};
}

Result<std::string> verify(const Signing& signing,
                           const Fields& fields,
                           std::string_view body,
                           Time now) {
  return signing.scheme == Scheme::Standard ? verify_standard(signing, fields, body, now)
                                            : verify_form(signing, fields, body);
}

Result<std::vector<std::pair<std::string, std::string>>> sign(const Signing& signing,
                                                              std::string_view body,
                                                              std::string_view id,
                                                              Time now) {
  if (auto checked = check(signing); !checked || signing.secrets.empty()) {
    return Failure(checked ? Error{ErrorCode::InvalidArgument, "a secret is needed", "secret"}
                           : checked.error());
  }
  if (signing.scheme != Scheme::Standard) {
    const Form form = form_of(signing);
    const std::string octets =
        crypto::hmac(form.algorithm, signing.secrets[0], signed_part(signing.scheme, body));
    return std::vector{std::pair{
        std::string(form.field),
        std::string(form.prefix) +
            (form.base64 ? encoding::base64_encode(octets) : encoding::hex_encode(octets))}};
  }
  std::vector<std::string> keys;
  for (const std::string& secret : signing.secrets) {
    keys.push_back(*crypto::webhook_key(secret));
  }
  const std::int64_t seconds = to_ms(now) / 1000;
  return std::vector<std::pair<std::string, std::string>>{
      {"webhook-id", std::string(id)},
      {"webhook-timestamp", std::to_string(seconds)},
      {"webhook-signature", crypto::webhook_signature(keys, id, seconds, body)}};
}

}  // namespace edge::webhooks
