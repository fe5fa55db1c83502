// SPDX-License-Identifier: MIT
#include "cli/commands/profile_events.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "cli/stored_events.h"
#include "core/json/members.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kShown = 5;
constexpr std::size_t kMostNames = 20;  // a profile may have a hundred

/// What events of the profile may be filed under.
std::vector<std::string> names_of(json::Value profile) {
  std::vector<std::string> names;
  for (const char* type : {"user_id", "anonymous_id", "alias_id"}) {
    const auto identifiers = profile.find("identifiers");
    const auto values = identifiers ? identifiers->find(type) : std::nullopt;
    for (const json::Value value : values ? values->elements() : json::Elements{}) {
      names.emplace_back(value.as_string().value_or(""));
    }
  }
  names.resize(std::min(names.size(), kMostNames));
  return names;
}

std::string short_form(json::Value event) {
  json::Writer out;
  out.begin_object().member("receivedAt", json::text_in(event, "receivedAt"));
  out.member("type", json::text_in(event, "type"));
  for (const char* name : {"event", "name"}) {
    if (const std::string text = json::text_in(event, name); !text.empty()) {
      out.member(name, text);
    }
  }
  return out.member("messageId", json::text_in(event, "messageId")).end_object().take();
}

}  // namespace

Result<std::vector<std::string>> last_events(Call& call, json::Value profile) {
  StoredEvents stored(call);
  std::map<std::uint64_t, std::string, std::greater<>> newest;
  for (const std::string& name : names_of(profile)) {
    auto page = stored.before({.user = name, .limit = kShown});
    if (!page) {
      return Failure(page.error());
    }
    for (std::size_t i = 0; i < page->events.size(); ++i) {
      newest[page->positions[i]] = std::move(page->events[i]);
    }
  }
  std::vector<std::string> events;
  for (const auto& [position, text] : newest) {
    const auto event = json::Document::parse(text, json::kEvent);
    if (event && events.size() < kShown) {
      events.push_back(short_form(event->root()));
    }
  }
  return events;
}

}  // namespace edge::cli
