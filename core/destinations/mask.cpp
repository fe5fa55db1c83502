// SPDX-License-Identifier: MIT
#include "core/destinations/mask.h"

#include <algorithm>
#include <array>

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

std::string masked_query(std::string_view query) {
  std::string result;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    const std::string_view name = pair.substr(0, std::min(equals, pair.size()));
    const bool secret = equals != std::string_view::npos &&
                        std::ranges::find(kSecretQuery, name) != kSecretQuery.end();
    result += result.empty() ? "" : "&";
    result += secret ? std::string(name) + "=" + crypto::redacted(pair.substr(equals + 1))
                     : std::string(pair);
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
  const std::size_t question = request.url.find('?');
  if (question != std::string::npos) {
    const std::string_view url = request.url;
    request.url = std::string(url.substr(0, question + 1)) + masked_query(url.substr(question + 1));
  }
}

}  // namespace edge::destinations
