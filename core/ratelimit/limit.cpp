// SPDX-License-Identifier: MIT
#include "core/ratelimit/limit.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/document.h"

namespace edge::ratelimit {
namespace {

using json::Value;
using Verdict = std::optional<std::string_view>;  // what a member must be when it is wrong

constexpr std::uint64_t kMostRequests = 1'000'000'000;
constexpr std::int64_t kLongestPeriod = std::int64_t{366} * 86'400;
constexpr std::string_view kHeaderPrefix = "header:";
constexpr std::size_t kLongestName = 64;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

KeyPart part_of(std::string_view text) {
  using Kind = KeyPart::Kind;
  if (text == "ip") {
    return {Kind::Address};
  }
  if (text == "user") {
    return {Kind::User};
  }
  if (text == "path") {
    return {Kind::Path};
  }
  if (text.starts_with(kHeaderPrefix) && text.size() > kHeaderPrefix.size()) {
    return {Kind::Header, std::string(text.substr(kHeaderPrefix.size()))};
  }
  return {Kind::Literal, std::string(text)};
}

/// One text or a list of at least one.
std::optional<std::vector<std::string>> texts_of(Value value) {
  if (const auto text = value.as_string()) {
    return std::vector{std::string(*text)};
  }
  std::vector<std::string> texts;
  for (const Value element : value.elements()) {
    const auto text = element.as_string();
    if (!text) {
      return std::nullopt;
    }
    texts.emplace_back(*text);
  }
  return value.is_array() ? std::optional(std::move(texts)) : std::nullopt;
}

Verdict take_number(Value value, std::uint64_t least, std::uint64_t most, std::uint64_t& into) {
  const auto number = value.as_uint64();
  if (!number || *number < least || *number > most) {
    return "must be a whole number from 0 (burst: 1) to 1000000000";
  }
  into = *number;
  return std::nullopt;
}

Verdict take_period(Limit& limit, Value value) {
  const auto seconds = value.as_int64();
  if (!seconds || *seconds < 1 || *seconds > kLongestPeriod) {
    return "must be a whole number of seconds, at least 1 and at most a year";
  }
  limit.quota.period = std::chrono::seconds(*seconds);
  return std::nullopt;
}

Verdict take_algorithm(Limit& limit, Value value) {
  for (const Algorithm algorithm : {Algorithm::Gcra, Algorithm::Fixed}) {
    if (value.as_string() == name_of(algorithm)) {
      limit.quota.algorithm = algorithm;
      return std::nullopt;
    }
  }
  return "must be gcra or fixed";
}

Verdict take_key(Limit& limit, Value value) {
  const auto texts = texts_of(value);
  if (!texts || texts->empty() || std::ranges::count(*texts, "") > 0) {
    return "must be ip, user, path, header:NAME, another text, or a list of these";
  }
  limit.key.clear();
  for (const std::string& text : *texts) {
    limit.key.push_back(part_of(text));
  }
  return std::nullopt;
}

Verdict take_routes(Limit& limit, Value value) {
  auto texts = texts_of(value);
  const auto is_pattern = [](const std::string& text) {
    const std::size_t slash = text.find('/');
    return slash == 0 || (slash != std::string::npos && slash > 1 && text[slash - 1] == ' ');
  };
  if (!texts || !std::ranges::all_of(*texts, is_pattern)) {
    return R"(must be a list such as ["/api/*", "POST /auth/login"])";
  }
  limit.routes = *std::move(texts);
  return std::nullopt;
}

/// Takes one member of a table.
Verdict take(Limit& limit, std::string_view name, Value value) {
  if (name == "name" || name == "namespace_id") {
    const auto text = value.as_string();
    if (!text || !is_name(*text)) {
      return "must be 1 to 64 of A-Z a-z 0-9 _ . -";
    }
    (name == "name" ? limit.name : limit.counters) = *text;
    return std::nullopt;
  }
  if (name == "limit") {
    return take_number(value, 0, kMostRequests, limit.quota.limit);
  }
  if (name == "burst") {
    return take_number(value, 1, kMostRequests, limit.quota.burst);
  }
  constexpr std::array<std::pair<std::string_view, Verdict (*)(Limit&, Value)>, 4> kOthers = {
      {{"period", take_period},
       {"algorithm", take_algorithm},
       {"key", take_key},
       {"routes", take_routes}}};
  const auto* const other =
      std::ranges::find(kOthers, name, [](const auto& entry) { return entry.first; });
  return other == kOthers.end() ? Verdict("is no setting of a limit") : other->second(limit, value);
}

Error bad_setting(const config::Item& item, std::string_view member, std::string_view what) {
  return {ErrorCode::InvalidArgument,
          (item.where.empty() ? std::string() : item.where + ": ") + "limit " +
              std::string(member) + " " + std::string(what),
          "limits." + std::string(member),
          "bad_setting"};
}

Result<Limit> read_limit(const config::Item& item) {
  const auto document = json::Document::parse(item.json, json::kStrict);
  if (!document || !document->root().is_object()) {
    return Failure(bad_setting(item, "table", "is no object"));
  }
  Limit limit;
  for (const auto& [name, value] : document->root().members()) {
    if (const auto problem = take(limit, name, value)) {
      return Failure(bad_setting(item, name, *problem));
    }
  }
  for (const std::string_view needed : {"name", "limit"}) {
    if (!document->root().find(needed)) {
      return Failure(bad_setting(item, needed, "is missing"));
    }
  }
  if (limit.quota.burst != 0 && limit.quota.algorithm == Algorithm::Fixed) {
    return Failure(bad_setting(item, "burst", "goes with gcra only"));
  }
  limit.counters = limit.counters.empty() ? "name:" + limit.name : "id:" + limit.counters;
  return limit;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
  return algorithm == Algorithm::Gcra ? "gcra" : "fixed";
}

std::string text_of(const KeyPart& part) {
  switch (part.kind) {
    case KeyPart::Kind::Address:
      return "ip";
    case KeyPart::Kind::User:
      return "user";
    case KeyPart::Kind::Path:
      return "path";
    case KeyPart::Kind::Header:
      return std::string(kHeaderPrefix) + part.text;
    case KeyPart::Kind::Literal:
      break;
  }
  return part.text;
}

bool Limit::covers(std::string_view method, std::string_view pattern) const {
  if (pattern == "/metrics" || pattern == "/health" || pattern.starts_with("/health/")) {
    return false;
  }
  return std::ranges::any_of(routes, [&](std::string_view route) {
    const std::size_t slash = route.find('/');
    if (slash > 0 && route.substr(0, slash - 1) != method) {
      return false;
    }
    route.remove_prefix(slash);
    return route.ends_with('*') ? pattern.starts_with(route.substr(0, route.size() - 1))
                                : pattern == route;
  });
}

bool Limit::counts_users() const {
  return std::ranges::any_of(key,
                             [](const KeyPart& part) { return part.kind == KeyPart::Kind::User; });
}

Result<std::vector<Limit>> read_limits(std::span<const config::Item> items) {
  std::vector<Limit> limits;
  for (const config::Item& item : items) {
    auto limit = read_limit(item);
    if (!limit) {
      return Failure(limit.error());
    }
    if (std::ranges::count(limits, limit->name, &Limit::name) > 0) {
      return Failure(bad_setting(item, "name", "is used twice"));
    }
    limits.push_back(*std::move(limit));
  }
  if (std::ranges::count(limits, "api", &Limit::name) == 0) {
    limits.insert(limits.begin(),
                  {.name = "api",
                   .quota = {.limit = 100, .period = std::chrono::seconds(60)},
                   .routes = {"/api/*"},
                   .counters = "name:api"});
  }
  return limits;
}

}  // namespace edge::ratelimit
