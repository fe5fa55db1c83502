// SPDX-License-Identifier: MIT
#include "core/events/user_agent.h"

#include <algorithm>
#include <array>
#include <utility>

namespace edge::events {
namespace {

/// Words of robots, in lower case; the first that occurs is reported. `cubot` is a maker of
/// telephones.
constexpr std::array<std::string_view, 44> kBotWords = {"googleimageproxy",
                                                        "yahoomailproxy",
                                                        "facebookexternalhit",
                                                        "headlesschrome",
                                                        "phantomjs",
                                                        "slurp",
                                                        "bot",
                                                        "crawler",
                                                        "crawl",
                                                        "spider",
                                                        "scraper",
                                                        "mediapartners",
                                                        "bingpreview",
                                                        "ia_archiver",
                                                        "whatsapp",
                                                        "embedly",
                                                        "quora link",
                                                        "pinterest/",
                                                        "lighthouse",
                                                        "pagespeed",
                                                        "gtmetrix",
                                                        "pingdom",
                                                        "statuscake",
                                                        "uptime",
                                                        "monitoring",
                                                        "feedfetcher",
                                                        "validator",
                                                        "curl/",
                                                        "wget/",
                                                        "python-requests",
                                                        "python-urllib",
                                                        "aiohttp/",
                                                        "httpx/",
                                                        "go-http-client",
                                                        "okhttp/",
                                                        "java/",
                                                        "apache-httpclient",
                                                        "libwww-perl",
                                                        "node-fetch",
                                                        "axios/",
                                                        "undici",
                                                        "guzzlehttp",
                                                        "ruby",
                                                        "postmanruntime"};

struct Mark {
  std::string_view word;     ///< occurs in the text
  std::string_view version;  ///< the version follows this; empty = follows `word`
  std::string_view name;
};

/// In this order, because most browsers also name those that they descend from.
constexpr std::array<Mark, 19> kBrowsers = {{{"Edg/", {}, "Edge"},
                                             {"EdgA/", {}, "Edge"},
                                             {"EdgiOS/", {}, "Edge"},
                                             {"Edge/", {}, "Edge"},
                                             {"OPR/", {}, "Opera"},
                                             {"OPT/", {}, "Opera"},
                                             {"OPiOS/", {}, "Opera"},
                                             {"Opera/", {}, "Opera"},
                                             {"SamsungBrowser/", {}, "Samsung Internet"},
                                             {"FBAN/", "FBAV/", "Facebook"},
                                             {"FBAV/", {}, "Facebook"},
                                             {"FxiOS/", {}, "Firefox"},
                                             {"Firefox/", {}, "Firefox"},
                                             {"CriOS/", {}, "Chrome"},
                                             {"HeadlessChrome/", {}, "Chrome"},
                                             {"Chrome/", {}, "Chrome"},
                                             {"Safari/", "Version/", "Safari"},
                                             {"MSIE ", {}, "Internet Explorer"},
                                             {"Trident/", "rv:", "Internet Explorer"}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWindows = {
    {{"10.0", "10"},
     {"6.3", "8.1"},
     {"6.2", "8"},
     {"6.1", "7"},
     {"6.0", "Vista"},
     {"5.2", "XP"},
     {"5.1", "XP"},
     {"5.0", "2000"}}};

bool holds(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

/// The digits, points and underscores behind `mark`, underscores as points.
std::string version_behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) {
    return {};
  }
  text.remove_prefix(at + mark.size());
  std::string version(
      text.substr(0, std::min(text.find_first_not_of("0123456789._"), text.size())));
  std::replace(version.begin(), version.end(), '_', '.');
  return version;
}

std::string_view bot_word(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  for (std::size_t at = lower.find("cubot"); at != std::string::npos;
       at = lower.find("cubot", at)) {
    lower.replace(at, 5, "     ");
  }
  const auto* found = std::find_if(kBotWords.begin(), kBotWords.end(), [&](std::string_view word) {
    return holds(lower, word);
  });
  return found == kBotWords.end() ? std::string_view{} : *found;
}

void read_browser(std::string_view text, UserAgent& agent) {
  for (const Mark& mark : kBrowsers) {
    if (holds(text, mark.word)) {
      agent.browser = mark.name;
      agent.browser_version = version_behind(text, mark.version.empty() ? mark.word : mark.version);
      return;
    }
  }
}

void read_os(std::string_view text, UserAgent& agent) {
  if (holds(text, "Windows NT ")) {
    agent.os = "Windows";
    const std::string number = version_behind(text, "Windows NT ");
    const auto* known = std::find_if(
        kWindows.begin(), kWindows.end(), [&](const auto& entry) { return entry.first == number; });
    agent.os_version = known == kWindows.end() ? number : std::string(known->second);
  } else if (holds(text, "iPhone") || holds(text, "iPad") || holds(text, "iPod")) {
    agent.os = "iOS";
    agent.os_version = version_behind(text, holds(text, "iPhone OS ") ? "iPhone OS " : "CPU OS ");
  } else if (holds(text, "Android")) {
    agent.os = "Android";
    agent.os_version = version_behind(text, "Android ");
  } else if (holds(text, "CrOS ")) {
    agent.os = "Chrome OS";
    const std::string_view machine = text.substr(text.find("CrOS ") + 5);
    agent.os_version =
        version_behind(machine.substr(std::min(machine.find(' '), machine.size())), " ");
  } else if (holds(text, "Mac OS X")) {
    agent.os = "macOS";
    agent.os_version = version_behind(text, "Mac OS X ");
  } else if (holds(text, "Linux")) {
    agent.os = "Linux";
  }
}

std::string_view device_of(std::string_view text, const UserAgent& agent) {
  if (!agent.bot.empty()) {
    return "bot";
  }
  const bool is_mobile = holds(text, "Mobile");
  if (holds(text, "iPad") || holds(text, "Tablet") || (agent.os == "Android" && !is_mobile)) {
    return "tablet";
  }
  return is_mobile || agent.os == "iOS" ? "mobile" : "desktop";
}

}  // namespace

UserAgent read_user_agent(std::string_view text) {
  UserAgent agent;
  if (text.empty()) {
    return agent;
  }
  agent.bot = bot_word(text);
  read_browser(text, agent);
  read_os(text, agent);
  agent.device = device_of(text, agent);
  return agent;
}

}  // namespace edge::events
