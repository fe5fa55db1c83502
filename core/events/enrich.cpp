// SPDX-License-Identifier: MIT
#include "core/events/enrich.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/events/campaign.h"
#include "core/events/member_index.h"
#include "core/events/user_agent.h"

namespace edge::events {
namespace {

using json::Value;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPageProperties = {
    {{"path", "properties.path"},
     {"referrer", "properties.referrer"},
     {"search", "properties.search"},
     {"title", "properties.title"},
     {"url", "properties.url"}}};

/// Lays what is known over the context of one event.
class Enricher {
 public:
  Enricher(Draft& draft, const Origin& origin) : draft_(draft), origin_(origin) {}

  void run() {
    const bool from_client = draft_.channel != Channel::Server;
    if (from_client) {
      user_agent_ = clean_text(origin_.user_agent);
    }
    if (origin_.anonymous) {
      draft_.clocks.flags.push_back(kAnonymousFlag);
    }
    if (const auto internal = sent("internal");
        origin_.may_be_internal && internal && internal->as_bool().value_or(false)) {
      draft_.clocks.flags.push_back(kInternalFlag);
    }
    add_ip(from_client);
    if (from_client) {
      add_request_facts();
    }
    add_page();
    add_campaign();
    add_agent();
  }

 private:
  [[nodiscard]] std::optional<Value> sent(std::string_view member) const {
    const auto value = draft_.context ? draft_.context->find(member) : std::nullopt;
    return value && !value->is_null() ? value : std::nullopt;
  }

  [[nodiscard]] std::string_view sent_text(std::string_view member) const {
    const auto value = sent(member);
    return value ? value->as_string().value_or("") : std::string_view{};
  }

  static std::string_view text_in(std::optional<Value> object, std::string_view member) {
    const auto value = object ? object->find(member) : std::nullopt;
    return value ? value->as_string().value_or("") : std::string_view{};
  }

  void put(std::string_view member, std::string json) {
    draft_.context_patches.push_back({.member = member, .json = std::move(json)});
  }

  void put_absent(std::string_view member, std::string json) {
    if (!sent(member)) {
      put(member, std::move(json));
    }
  }

  /// `from`: the member whose text it is, if that is one of the event.
  void put_inner_absent(std::string_view member,
                        std::string_view inner,
                        std::string_view text,
                        std::string_view from = {}) {
    const auto there = sent(member);
    const auto value = there ? there->find(inner) : std::nullopt;
    const bool is_given = value && !value->is_null();
    if (!text.empty() && !is_given && (!there || there->is_object())) {
      draft_.context_patches.push_back(
          {.member = member, .inner = std::string(inner), .json = json_text(text), .from = from});
    }
  }

  /// The same for many at once.
  void put_all_absent(std::string_view member, const Campaign::Pairs& pairs) {
    const auto there = sent(member);
    if (pairs.empty() || (there && !there->is_object())) {
      return;
    }
    const MemberIndex known(there);
    for (const auto& [name, text] : pairs) {
      const auto value = known.find(name);
      if (!value || value->is_null()) {
        draft_.context_patches.push_back(
            {.member = member, .inner = name, .json = json_text(text), .from = search_from_});
      }
    }
  }

  void add_ip(bool from_client) {
    const auto direct = sent("direct");
    const bool use_connection = from_client || (direct && direct->as_bool().value_or(false));
    std::string_view address = sent_text("ip");
    if (use_connection && !origin_.client_ip.empty()) {
      address = origin_.client_ip;
    }
    if (address.empty() && !sent("ip")) {
      return;
    }
    const auto kept = origin_.anonymous ? std::nullopt : anonymise(address, origin_.ip);
    put("ip", kept ? json_text(*kept) : std::string{});
  }

  void add_request_facts() {
    if (!user_agent_.empty()) {
      put_absent("userAgent", json_text(user_agent_));
    }
    const std::string_view language =
        origin_.accept_language.substr(0, origin_.accept_language.find_first_of(",; "));
    if (!language.empty() && language != "*") {
      put_absent("locale", json_text(clean_text(language)));
    }
    if (origin_.gpc) {
      put_absent("gpc", "true");
    }
    if (origin_.dnt) {
      put_absent("dnt", "true");
    }
  }

  void add_page() {
    const auto page = sent("page");
    std::string_view url = text_in(page, "url");
    std::string_view url_from = "context.page.url";
    search_ = text_in(page, "search");
    search_from_ = "context.page.search";
    std::string_view path = text_in(page, "path");
    if (draft_.type == Type::Page) {
      for (const auto& [member, from] : kPageProperties) {
        put_inner_absent("page", member, text_in(draft_.properties, member), from);
      }
      if (url.empty()) {
        url = text_in(draft_.properties, "url");
        url_from = "properties.url";
      }
      if (search_.empty()) {
        search_ = text_in(draft_.properties, "search");
        search_from_ = "properties.search";
      }
      path = path.empty() ? text_in(draft_.properties, "path") : path;
    }
    const auto [path_of_url, search_of_url] = split(url);
    if (search_.empty()) {
      put_inner_absent("page", "search", search_of_url, url_from);
      search_ = search_of_url;
      search_from_ = url_from;
    }
    if (path.empty()) {
      put_inner_absent("page", "path", path_of_url, url_from);
    }
  }

  /// Path and query (with its question mark) of an absolute or relative URL.
  static std::pair<std::string_view, std::string_view> split(std::string_view url) {
    url = url.substr(0, url.find('#'));
    const std::size_t scheme = url.find("://");
    std::string_view rest = url;
    if (scheme != std::string_view::npos) {
      rest = url.substr(std::min(url.find_first_of("/?", scheme + 3), url.size()));
    }
    const std::size_t question = rest.find('?');
    if (question == std::string_view::npos) {
      return {rest, {}};
    }
    return {rest.substr(0, question),
            rest.size() > question + 1 ? rest.substr(question) : std::string_view{}};
  }

  void add_campaign() {
    const Campaign campaign = read_campaign(search_);
    put_all_absent("campaign", campaign.parameters);
    put_all_absent("clickIds", campaign.click_ids);
  }

  void add_agent() {
    std::string_view text = sent_text("userAgent");
    if (text.empty() && !sent("userAgent")) {
      text = user_agent_;
    }
    if (text.empty()) {
      return;
    }
    const UserAgent agent = read_user_agent(text);
    if (draft_.channel == Channel::Browser) {
      add_browser(agent);
    }
    if (!agent.bot.empty() && !sent("bot")) {
      draft_.context_patches.push_back({.member = "bot", .inner = "detected", .json = "true"});
      draft_.context_patches.push_back(
          {.member = "bot", .inner = "reason", .json = json_text("ua:" + std::string(agent.bot))});
    }
  }

  void add_browser(const UserAgent& agent) {
    if (!sent("browser")) {
      put_inner_absent("browser", "name", agent.browser);
      put_inner_absent("browser", "version", agent.browser_version);
    }
    const auto hints = sent("userAgentData");
    const auto os = sent("os");
    if (!os || (os->is_object() && text_in(os, "name").empty())) {
      const std::string_view version = text_in(hints, "platformVersion");
      put_over("os", "name", agent.os);
      put_over("os", "version", version.empty() ? std::string_view(agent.os_version) : version);
    }
    put_inner_absent("device", "type", agent.device);
    put_inner_absent("device", "model", text_in(hints, "model"));
  }

  void put_over(std::string_view member, std::string_view inner, std::string_view text) {
    if (!text.empty()) {
      draft_.context_patches.push_back(
          {.member = member, .inner = std::string(inner), .json = json_text(text)});
    }
  }

  Draft& draft_;
  const Origin& origin_;
  std::string user_agent_;  // of the client
  std::string_view search_;
  std::string_view search_from_;
};

}  // namespace

void enrich(Draft& draft, const Origin& origin) {
  Enricher(draft, origin).run();
}

}  // namespace edge::events
