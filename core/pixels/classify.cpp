// SPDX-License-Identifier: MIT
#include "core/pixels/classify.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json/document.h"
#include "core/pixels/default_rules.h"

namespace edge::pixels {
namespace {

constexpr std::array<std::string_view, 6> kClasses{
    "human", "proxy", "prefetch", "scanner", "bot", "self"};
constexpr std::string_view kOfTheList = "<the list>";
constexpr std::array<std::pair<std::string_view, std::string_view OpenRequest::*>, 4> kHeaders{
    {{"sec-purpose", &OpenRequest::sec_purpose},
     {"purpose", &OpenRequest::purpose},
     {"x-purpose", &OpenRequest::x_purpose},
     {"x-moz", &OpenRequest::x_moz}}};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}
bool same_letter(char left, char right) {
  return lower(left) == right;
}
bool contains_any_case(std::string_view text, std::string_view lower_word) {
  return std::search(text.begin(), text.end(), lower_word.begin(), lower_word.end(), same_letter) !=
         text.end();
}
bool starts_any_case(std::string_view text, std::string_view lower_word) {
  return text.size() >= lower_word.size() &&
         std::ranges::equal(text.substr(0, lower_word.size()), lower_word, same_letter);
}

tl::unexpected<Error> wrong(const std::string& id, const std::string& what) {
  return Failure({ErrorCode::InvalidArgument,
                  fmt::format("rule \"{}\": {}", id, what),
                  "pixel.rules",
                  "rules_invalid"});
}

Result<std::vector<std::string>> words_of(const std::string& id, json::Value value, bool any_case) {
  std::vector<std::string> words;
  for (const json::Value element : value.elements()) {
    const auto text = element.as_string();
    if (!text || text->empty()) {
      return wrong(id, "words must be texts that are not empty");
    }
    words.push_back(any_case ? lower(*text) : std::string(*text));
  }
  if (words.empty()) {
    return wrong(id, "a list of words is needed");
  }
  return words;
}

/// Reads one condition into the rule.
Result<void> read_condition(OpenRules::Rule& rule, std::string_view name, json::Value value) {
  const auto take_words = [&](std::vector<std::string>& into, bool any_case) -> Result<void> {
    auto words = words_of(rule.id, value, any_case);
    if (!words) {
      return Failure(words.error());
    }
    into = std::move(*words);
    return {};
  };
  if (name == "method" && value.is_string()) {
    rule.method = *value.as_string();
    return {};
  }
  if (name == "ua_equals" && value.is_string()) {
    rule.agent = *value.as_string();
    return {};
  }
  if (name == "ua_contains") {
    return take_words(rule.agent_words, false);
  }
  if (name == "ua_contains_ci") {
    return take_words(rule.agent_words_any_case, true);
  }
  if (name == "ua_prefix_ci") {
    return take_words(rule.agent_prefixes_any_case, true);
  }
  if (name == "seconds_since_sent_below") {
    rule.is_too_fast = true;
    rule.seconds_below = value.as_int64();
    return rule.seconds_below || value.as_string() == "min_human_seconds"
               ? Result<void>{}
               : wrong(rule.id, "seconds_since_sent_below is a number or min_human_seconds");
  }
  if (name == "ip_list" && value.is_string()) {
    std::string_view rest = *value.as_string();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('|'), rest.size());
      const auto list = address_list_of(rest.substr(0, end));
      if (!list) {
        return wrong(rule.id, "ip_list knows self, prefetch, proxy and scanner");
      }
      rule.lists.set(static_cast<std::size_t>(*list));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return {};
  }
  if (name == "header_contains" && value.is_object()) {
    for (const auto& [header, word] : value.members()) {
      const auto* const known =
          std::ranges::find(kHeaders, header, [](const auto& row) { return row.first; });
      if (known == kHeaders.end() || !word.is_string()) {
        return wrong(rule.id, "header_contains knows sec-purpose, purpose, x-purpose and x-moz");
      }
      rule.headers.emplace_back(known->second, lower(*word.as_string()));
    }
    return {};
  }
  return wrong(rule.id, fmt::format("no condition \"{}\" of that form", name));
}

Result<OpenRules::Rule> read_rule(json::Value value, std::size_t number) {
  OpenRules::Rule rule{.id = fmt::format("number {}", number)};
  const auto id = value.find("id");
  const auto when = value.find("when");
  const auto open_class = value.find("class");
  if (id && id->is_string()) {
    rule.id = *id->as_string();
  }
  if (!when || !when->is_object() || !open_class || !open_class->is_string()) {
    return wrong(rule.id, "it needs an id, a when and a class");
  }
  for (const auto& [name, condition] : when->members()) {
    if (auto read = read_condition(rule, name, condition); !read) {
      return Failure(read.error());
    }
  }
  rule.open_class = open_class_of(*open_class->as_string());
  const bool of_list = open_class->as_string() == kOfTheList && rule.lists.any();
  if (!rule.open_class && !of_list) {
    return wrong(rule.id, fmt::format("no class \"{}\"", *open_class->as_string()));
  }
  return rule;
}

/// The class of the first list of a set.
OpenClass class_of(ListSet lists) {
  for (std::size_t i = 0; i < kAddressLists; ++i) {
    if (lists[i]) {
      return *open_class_of(name_of(static_cast<AddressList>(i)));
    }
  }
  return OpenClass::Human;
}

bool fits(const OpenRules::Rule& rule, const OpenRequest& request) {
  const std::string_view agent = request.user_agent;
  const auto none = [](const auto& words, const auto& holds) {
    return !words.empty() && std::ranges::none_of(words, holds);
  };
  if ((!rule.method.empty() && request.method != rule.method) ||
      (rule.agent && agent != *rule.agent) ||
      (rule.lists.any() && (rule.lists & request.lists).none())) {
    return false;
  }
  if (none(rule.headers,
           [&](const auto& row) { return contains_any_case(request.*row.first, row.second); }) ||
      none(rule.agent_words,
           [&](const std::string& word) { return agent.find(word) != std::string_view::npos; }) ||
      none(rule.agent_words_any_case,
           [&](const std::string& word) { return contains_any_case(agent, word); }) ||
      none(rule.agent_prefixes_any_case,
           [&](const std::string& word) { return starts_any_case(agent, word); })) {
    return false;
  }
  const std::int64_t limit = rule.seconds_below.value_or(request.min_human_seconds);
  return !rule.is_too_fast ||
         (limit > 0 && request.seconds_since_sent && *request.seconds_since_sent < limit);
}

}  // namespace

std::string_view name_of(OpenClass open_class) {
  return kClasses[static_cast<std::size_t>(open_class)];
}

std::optional<OpenClass> open_class_of(std::string_view name) {
  const auto* const found = std::ranges::find(kClasses, name);
  return found == kClasses.end() ? std::nullopt
                                 : std::optional(static_cast<OpenClass>(found - kClasses.begin()));
}

const OpenRules& OpenRules::defaults() {
  static const OpenRules kRules = parse(kDefaultRules).value();
  return kRules;
}

Result<OpenRules> OpenRules::parse(std::string_view text) {
  const auto document = json::Document::parse(text, json::kStrict);
  if (!document) {
    return Failure({ErrorCode::InvalidArgument,
                    "pixel.rules: " + document.error().message,
                    "pixel.rules",
                    "rules_invalid"});
  }
  const auto list = document->root().find("rules");
  if (!list || !list->is_array()) {
    return Failure({ErrorCode::InvalidArgument,
                    "pixel.rules: \"rules\" must be a list",
                    "pixel.rules",
                    "rules_invalid"});
  }
  OpenRules rules;
  for (const json::Value value : list->elements()) {
    auto rule = read_rule(value, rules.rules_.size() + 1);
    if (!rule) {
      return Failure(rule.error());
    }
    rules.rules_.push_back(std::move(*rule));
  }
  if (const auto counted = document->root().find("counted")) {
    for (const auto& [name, as] : counted->members()) {
      const auto open_class = open_class_of(name);
      const std::string_view word = as.as_string().value_or("");
      if (!open_class || (word != "human" && word != "machine" && word != "none")) {
        return wrong("counted", "classes are counted as human, machine or none");
      }
      rules.counted_[static_cast<std::size_t>(*open_class)] = word == "human" ? CountedAs::Human
                                                              : word == "machine"
                                                                  ? CountedAs::Machine
                                                                  : CountedAs::Nothing;
    }
  }
  return rules;
}

OpenVerdict OpenRules::classify(const OpenRequest& request) const {
  OpenVerdict verdict;
  const auto rule = std::ranges::find_if(
      rules_, [&request](const Rule& candidate) { return fits(candidate, request); });
  if (rule != rules_.end()) {
    verdict.rule = rule->id;
    verdict.open_class =
        rule->open_class ? *rule->open_class : class_of(rule->lists & request.lists);
  }
  verdict.counted = counted_[static_cast<std::size_t>(verdict.open_class)];
  return verdict;
}

}  // namespace edge::pixels
