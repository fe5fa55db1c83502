// SPDX-License-Identifier: MIT
#include "core/destinations/mask.h"

#include <algorithm>
#include <array>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"

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

std::string hidden(std::string_view value) {
  return "\u2026" + encoding::hex_encode(crypto::sha256(value)).substr(0, 8);
}

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
    result +=
        secret ? std::string(name) + "=" + hidden(pair.substr(equals + 1)) : std::string(pair);
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return result;
}

}  // namespace

void mask(Request& request) {
  for (auto& [name, value] : request.headers) {
    const bool secret = std::ranges::any_of(kSecretParts, [&field = name](std::string_view part) {
      return field.find(part) != std::string::npos;
    });
    value = secret ? hidden(value) : value;
  }
  const std::size_t question = request.url.find('?');
  if (question != std::string::npos) {
    const std::string_view url = request.url;
    request.url = std::string(url.substr(0, question + 1)) + masked_query(url.substr(question + 1));
  }
}

}  // namespace edge::destinations
