// SPDX-License-Identifier: MIT
#include "core/destinations/mask.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/crypto/redact.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

constexpr std::array<std::string_view, 8> kSecretParts{
    "auth", "key", "token", "secret", "signature", "cookie", "password", "credential"};
constexpr std::array<std::string_view, 11> kSecretQuery{"token",
                                                        "access_token",
                                                        "id_token",
                                                        "refresh_token",
                                                        "api_key",
                                                        "apikey",
                                                        "key",
                                                        "secret",
                                                        "password",
                                                        "sig",
                                                        "signature"};

constexpr std::string_view kMaskBegin = "\u2026";  // of what `redacted` gives

/// The URL with what `put` makes of each secret value of its query, which it gets with its name.
template <typename Put>
std::string with_secrets(std::string_view url, const Put& put) {
  const std::size_t question = url.find('?');
  if (question == std::string_view::npos) {
    return std::string(url);
  }
  std::string result(url.substr(0, question + 1));
  for (std::string_view query = url.substr(question + 1); !query.empty();) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, std::min(equals, pair.size()));
    const bool secret = equals != std::string_view::npos &&
                        std::ranges::find(kSecretQuery, name) != kSecretQuery.end();
    result += result.ends_with('?') ? "" : "&";
    result +=
        secret ? std::string(name) + "=" + put(name, pair.substr(equals + 1)) : std::string(pair);
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return result;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// Only where it is a whole JSON string or a whole value of a form: the rest stays what it is.
void mask_body(std::string& body, const std::string& secret) {
  std::string quoted;
  json::append_string(quoted, secret);
  replace_all(body, quoted, "\"" + crypto::redacted(secret) + "\"");
  replace_all(body,
              "api_key=" + encoding::percent_encode(secret) + "&",
              "api_key=" + encoding::percent_encode(crypto::redacted(secret)) + "&");
}

}  // namespace

void mask(Request& request, std::span<const std::string> secrets) {
  for (auto& [name, value] : request.headers) {
    const bool named = std::ranges::any_of(kSecretParts, [&field = name](std::string_view part) {
      return field.find(part) != std::string::npos;
    });
    const bool known = std::ranges::find(secrets, value) != secrets.end();
    value = named || known ? crypto::redacted(value) : value;
  }
  for (const std::string& secret : secrets) {
    mask_body(request.body, secret);
  }
  request.url = masked_url(request.url);
}

std::string masked_url(std::string_view url) {
  return with_secrets(
      url, [](std::string_view, std::string_view value) { return crypto::redacted(value); });
}

std::optional<std::string> unmasked_url(std::string_view url, std::string_view kept) {
  std::vector<std::pair<std::string_view, std::string_view>> secrets;
  with_secrets(kept, [&](std::string_view name, std::string_view value) {
    secrets.emplace_back(name, value);
    return "";
  });
  bool is_known = true;
  std::string result = with_secrets(url, [&](std::string_view name, std::string_view value) {
    if (!value.starts_with(kMaskBegin)) {
      return std::string(value);
    }
    const auto found = std::ranges::find_if(secrets, [&](const auto& secret) {
      return secret.first == name && crypto::redacted(secret.second) == value;
    });
    is_known = is_known && found != secrets.end();
    return found == secrets.end() ? std::string() : std::string(found->second);
  });
  return is_known ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace edge::destinations
