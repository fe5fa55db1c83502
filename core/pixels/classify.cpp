// SPDX-License-Identifier: MIT
#include "core/pixels/classify.h"

#include <algorithm>
#include <array>

namespace edge::pixels {
namespace {

constexpr std::string_view kAppleMail = "Mozilla/5.0";
constexpr std::string_view kGmailPrefetch =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 "
    "Edge/12.246 Mozilla/5.0";
constexpr std::array<std::string_view, 9> kGateways{"barracuda",
                                                    "proofpoint",
                                                    "mimecast",
                                                    "symantec",
                                                    "fireeye",
                                                    "trendmicro",
                                                    "fortimail",
                                                    "ciscosecureemail",
                                                    "safelinks"};
constexpr std::array<std::string_view, 9> kCrawlers{"bot",
                                                    "crawler",
                                                    "spider",
                                                    "slurp",
                                                    "facebookexternalhit",
                                                    "embedly",
                                                    "linkpreview",
                                                    "headlesschrome",
                                                    "phantomjs"};
constexpr std::array<std::string_view, 15> kLibraries{"curl/",
                                                      "wget/",
                                                      "python-requests",
                                                      "python-urllib",
                                                      "go-http-client",
                                                      "java/",
                                                      "okhttp",
                                                      "axios",
                                                      "node-fetch",
                                                      "node",
                                                      "undici",
                                                      "libwww-perl",
                                                      "apache-httpclient",
                                                      "postmanruntime",
                                                      "ruby"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool same_letter(char left, char right) {
  return lower(left) == right;
}

bool contains(std::string_view text, std::string_view lower_word) {
  return !std::ranges::search(text, lower_word, same_letter).empty();
}
bool starts_with(std::string_view text, std::string_view lower_word) {
  return text.size() >= lower_word.size() &&
         std::ranges::equal(text.substr(0, lower_word.size()), lower_word, same_letter);
}

bool says_prefetch(const OpenRequest& request) {
  return contains(request.sec_purpose, "prefetch") || contains(request.purpose, "prefetch") ||
         contains(request.x_moz, "prefetch") || contains(request.x_purpose, "preview");
}

std::optional<OpenVerdict> by_user_agent(std::string_view agent) {
  if (agent == kAppleMail) {
    return OpenVerdict{OpenClass::Prefetch, "apple-mpp"};
  }
  if (agent == kGmailPrefetch) {
    return OpenVerdict{OpenClass::Prefetch, "gmail-prefetch"};
  }
  if (agent.find("GoogleImageProxy") != std::string_view::npos) {
    return OpenVerdict{OpenClass::Proxy, "gmail-proxy"};
  }
  if (agent.find("YahooMailProxy") != std::string_view::npos) {
    return OpenVerdict{OpenClass::Proxy, "yahoo-proxy"};
  }
  if (agent.empty()) {
    return OpenVerdict{OpenClass::Scanner, "no-ua"};
  }
  const auto holds = [agent](std::string_view word) { return contains(agent, word); };
  if (std::ranges::any_of(kGateways, holds)) {
    return OpenVerdict{OpenClass::Scanner, "gateway"};
  }
  if (std::ranges::any_of(kCrawlers, holds)) {
    return OpenVerdict{OpenClass::Bot, "crawler"};
  }
  if (std::ranges::any_of(kLibraries,
                          [agent](std::string_view word) { return starts_with(agent, word); })) {
    return OpenVerdict{OpenClass::Bot, "http-library"};
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(OpenClass open_class) {
  static constexpr std::array<std::string_view, 6> kNames{
      "human", "proxy", "prefetch", "scanner", "bot", "self"};
  return kNames[static_cast<std::size_t>(open_class)];
}

OpenVerdict classify(const OpenRequest& request) {
  if (request.method == "HEAD") {
    return {OpenClass::Scanner, "head"};
  }
  if (says_prefetch(request)) {
    return {OpenClass::Prefetch, "prefetch-header"};
  }
  if (request.address_list == "self") {
    return {OpenClass::Self, "self"};
  }
  if (const auto verdict = by_user_agent(request.user_agent)) {
    return *verdict;
  }
  for (const OpenClass listed : {OpenClass::Prefetch, OpenClass::Proxy, OpenClass::Scanner}) {
    if (request.address_list == name_of(listed)) {
      return {listed, "ip-list"};
    }
  }
  if (request.min_human_seconds > 0 && request.seconds_since_sent &&
      *request.seconds_since_sent < request.min_human_seconds) {
    return {OpenClass::Prefetch, "too-fast"};
  }
  return {};
}

}  // namespace edge::pixels
