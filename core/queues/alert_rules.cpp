// SPDX-License-Identifier: MIT
#include "core/queues/alert_rules.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace edge::queues {
namespace {

constexpr const char* kForms =
    "backlog > N for TIME, oldest_age > TIME, dlq_rate > N/m (TIME like 90s, 5m, 2h)";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) {
      words.push_back(text.substr(begin, end - begin));
    }
    text.remove_prefix(end);
  }
  return words;
}

/// A whole number, and what stands behind it.
std::optional<std::pair<double, std::string_view>> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{}
             ? std::optional(std::pair(double{static_cast<double>(number)},
                                       text.substr(static_cast<std::size_t>(stop - text.data()))))
             : std::nullopt;
}

std::optional<double> unit_of(std::string_view unit) {
  return unit.empty() || unit == "s" ? std::optional(1.0)
         : unit == "m"               ? std::optional(60.0)
         : unit == "h"               ? std::optional(3'600.0)
         : unit == "d"               ? std::optional(86'400.0)
                                     : std::nullopt;
}

std::optional<double> seconds_of(std::string_view text) {
  const auto number = number_of(text);
  const auto unit = number ? unit_of(number->second) : std::nullopt;
  return unit ? std::optional(number->first * *unit) : std::nullopt;
}

std::optional<double> rate_of(std::string_view text) {
  const auto number = number_of(text);
  const bool has_unit = number && number->second.size() == 2 && number->second.front() == '/';
  const auto unit = has_unit ? unit_of(number->second.substr(1)) : std::nullopt;
  return unit ? std::optional(number->first / *unit) : std::nullopt;
}

}  // namespace

Result<AlertRule> read_alert_rule(std::string_view text) {
  using Kind = AlertRule::Kind;
  const std::vector<std::string_view> words = words_of(text);
  AlertRule rule{.text = std::string(text)};
  std::optional<double> limit;
  const bool compares = words.size() >= 3 && words[1] == ">";
  if (compares && words[0] == "backlog" && words.size() == 5 && words[3] == "for") {
    const auto count = number_of(words[2]);
    const auto hold = seconds_of(words[4]);
    if (count && count->second.empty() && hold) {
      limit = count->first;
      rule.hold = std::chrono::milliseconds(static_cast<std::int64_t>(*hold * 1000));
    }
  } else if (compares && words[0] == "oldest_age" && words.size() == 3) {
    rule.kind = Kind::OldestAge;
    limit = seconds_of(words[2]);
  } else if (compares && words[0] == "dlq_rate" && words.size() == 3) {
    rule.kind = Kind::DeadRate;
    limit = rate_of(words[2]);
  }
  if (!limit) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("\"{}\" is no alert of a queue: {}", text, kForms),
                    "/alerts"});
  }
  rule.limit = *limit;
  return rule;
}

std::vector<AlertNews> AlertStates::look(const AlertSample& sample,
                                         const std::vector<AlertRule>& rules,
                                         Time now) {
  std::vector<AlertNews> news;
  for (const AlertRule& rule : rules) {
    const double value = rule.kind == AlertRule::Kind::Backlog     ? sample.backlog
                         : rule.kind == AlertRule::Kind::OldestAge ? sample.oldest_age
                                                                   : sample.dead_rate;
    State& state = states_[{sample.queue, rule.text}];
    const bool is_broken = value > rule.limit;
    if (is_broken && state.broken_since == Time{}) {
      state.broken_since = now;
    }
    if (!is_broken) {
      state.broken_since = {};
    }
    const bool raised = is_broken && (state.raised || now - state.broken_since >= rule.hold);
    if (raised != state.raised) {
      state.raised = raised;
      news.push_back({sample.queue, rule.text, raised, value, rule.limit, now});
    }
  }
  return news;
}

}  // namespace edge::queues
