// SPDX-License-Identifier: MIT
// The words of conditions and their spans of time.
#include <array>
#include <charconv>
#include <utility>

#include "core/profiles/segments/condition.h"

namespace edge::profiles {
namespace {

constexpr std::array<std::string_view, 25> kMatches = {
    "exact",       "ne",          "gt",          "ge",          "lt",
    "le",          "substring",   "starts_with", "ends_with",   "contains",
    "in",          "not_in",      "exists",      "before",      "after",
    "within_last", "within_next", "older_than",  "beyond_next", "semver_eq",
    "semver_lt",   "semver_le",   "semver_gt",   "semver_ge",   "regex"};
constexpr std::array<std::string_view, 6> kKinds = {
    "track", "page", "screen", "identify", "group", "any"};
constexpr std::array<std::string_view, 7> kFunctions = {
    "sum", "avg", "min", "max", "unique", "first", "last"};
constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kUnits = {{{"ms", 1},
                                                                              {"s", 1'000},
                                                                              {"m", 60'000},
                                                                              {"h", 3'600'000},
                                                                              {"d", 86'400'000},
                                                                              {"w", 604'800'000}}};
constexpr std::int64_t kLongestMs = 100LL * 366 * 86'400'000;

template <typename Word, std::size_t N>
std::optional<Word> find(const std::array<std::string_view, N>& words, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == name) {
      return static_cast<Word>(i);
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Match match) {
  return kMatches[static_cast<std::size_t>(match)];
}

std::optional<Match> match_of(std::string_view name) {
  return find<Match>(kMatches, name);
}

std::string_view name_of(Selector::Kind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<Selector::Kind> selector_kind_of(std::string_view name) {
  return find<Selector::Kind>(kKinds, name);
}

std::string_view name_of(Function function) {
  return kFunctions[static_cast<std::size_t>(function)];
}

std::optional<Function> function_of(std::string_view name) {
  return find<Function>(kFunctions, name);
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || number < 0 || text.front() == '-') {
    return std::nullopt;
  }
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, ms] : kUnits) {
    if (unit == name && number <= kLongestMs / ms) {
      return Duration{.time = std::chrono::milliseconds{number * ms}, .text = std::string(text)};
    }
  }
  return std::nullopt;
}

Literal Literal::of(std::string text) {
  return {.kind = Kind::Text, .text = std::move(text)};
}

Literal Literal::of(double number) {
  std::string text;
  json::append_number(text, number);
  return {.kind = Kind::Number, .number = number, .text = std::move(text)};
}

}  // namespace edge::profiles
