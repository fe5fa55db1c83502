// SPDX-License-Identifier: MIT
#include "core/destinations/endpoint.h"

#include <array>

#include "core/encoding/base64.h"

namespace edge::destinations {
namespace {

constexpr std::array<std::string_view, 8> kEndpoints{
    "/2/httpapi", "/batch", "/identify", "/usermap", "/track", "/import", "/engage", "/groups"};
constexpr std::array<std::string_view, 15> kBelowV1{"/track",
                                                    "/page",
                                                    "/screen",
                                                    "/identify",
                                                    "/group",
                                                    "/alias",
                                                    "/batch",
                                                    "/import",
                                                    "/t",
                                                    "/p",
                                                    "/s",
                                                    "/i",
                                                    "/g",
                                                    "/a",
                                                    "/b"};

/// Cuts an endpoint off the end of `path`; false when there is none.
bool cut_endpoint(std::string_view& path) {
  if (path.ends_with("/v1")) {
    path.remove_suffix(3);
    return true;
  }
  for (const std::string_view name : kBelowV1) {
    if (path.ends_with(name) && path.substr(0, path.size() - name.size()).ends_with("/v1")) {
      path.remove_suffix(name.size() + 3);
      return true;
    }
  }
  for (const std::string_view name : kEndpoints) {
    if (path.ends_with(name)) {
      path.remove_suffix(name.size());
      return true;
    }
  }
  return false;
}

}  // namespace

Result<void> check_url(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Failure({ErrorCode::InvalidArgument,
                    "the setting \"url\" must start with https:// or http://",
                    "/config/url"});
  }
  const std::string_view rest = url.substr(url.find("://") + 3);
  if (rest.substr(0, rest.find_first_of("/?#\\")).find('@') != std::string_view::npos) {
    return Failure({ErrorCode::InvalidArgument,
                    "the setting \"url\" must not hold a user name or password",
                    "/config/url"});
  }
  return {};
}

Result<std::string> base_url(std::string_view url, std::string_view fallback) {
  if (url.empty()) {
    return std::string(fallback);
  }
  if (auto checked = check_url(url); !checked) {
    return Failure(checked.error());
  }
  const std::size_t scheme = url.find("://");
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
  std::string_view path = url.substr(slash);
  const auto cut_slashes = [&path] {
    while (path.ends_with('/')) {
      path.remove_suffix(1);
    }
  };
  cut_slashes();
  if (cut_endpoint(path)) {
    cut_slashes();
  }
  return std::string(url.substr(0, slash)) + std::string(path);
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  return "Basic " + encoding::base64_encode(std::string(user) + ":" + std::string(password));
}

}  // namespace edge::destinations
