// SPDX-License-Identifier: MIT
#include "core/crypto/redact.h"

#include <algorithm>
#include <array>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/encoding/percent.h"

namespace edge::crypto {
namespace {

constexpr std::size_t kShownDigits = 8;
constexpr std::array<std::string_view, 12> kSecretNames = {"token",
                                                           "access_token",
                                                           "id_token",
                                                           "refresh_token",
                                                           "api_key",
                                                           "apikey",
                                                           "key",
                                                           "secret",
                                                           "password",
                                                           "sig",
                                                           "signature",
                                                           "code"};
constexpr std::string_view kPixelRoutes = "/pixel/";
/// No verb of the pixel routes is as long, every token is longer.
constexpr std::size_t kShortestToken = 16;

bool is_secret_name(std::string_view raw) {
  std::string name = encoding::percent_decode(raw).value_or(std::string(raw));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return std::ranges::count(kSecretNames, name) > 0;
}

std::string redact_path(std::string_view path) {
  if (!path.starts_with(kPixelRoutes)) {
    return std::string(path);
  }
  std::string out(kPixelRoutes);
  path.remove_prefix(kPixelRoutes.size());
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    out += segment.size() >= kShortestToken ? redacted(segment) : std::string(segment);
    out += end < path.size() ? "/" : "";
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

}  // namespace

std::string redacted(std::string_view secret) {
  return "…" + encoding::hex_encode(sha256(secret)).substr(0, kShownDigits);
}

std::string redact_target(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  std::string out = redact_path(target.substr(0, mark));
  std::string_view query = target.substr(std::min(mark + 1, target.size()));
  out += mark < target.size() ? "?" : "";
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    out += pair.substr(0, std::min(equals + 1, pair.size()));
    out += is_secret_name(pair.substr(0, equals)) && !value.empty() ? redacted(value)
                                                                    : std::string(value);
    out += end < query.size() ? "&" : "";
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return out;
}

}  // namespace edge::crypto
