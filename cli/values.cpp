// SPDX-License-Identifier: MIT
#include "cli/values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "cli/input.h"
#include "cli/problem.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array<Unit, 6> kDurations = {{{"ms", 1},
                                             {"s", 1000},
                                             {"m", 60'000},
                                             {"h", 3'600'000},
                                             {"d", 86'400'000},
                                             {"w", 604'800'000}}};
constexpr std::array<Unit, 9> kSizes = {{{"", 1},
                                         {"B", 1},
                                         {"KiB", 1LL << 10},
                                         {"MiB", 1LL << 20},
                                         {"GiB", 1LL << 30},
                                         {"TiB", 1LL << 40},
                                         {"kB", 1000},
                                         {"MB", 1'000'000},
                                         {"GB", 1'000'000'000}}};
constexpr std::array<Unit, 3> kRates = {{{"s", 1}, {"m", 60}, {"h", 3600}}};

template <std::size_t N>
std::optional<std::int64_t> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) {
      return unit.factor;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> digits(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) {
    return std::nullopt;
  }
  return value;
}

/// A fixed run of digits inside `text`; -1 when there is none.
int field(std::string_view text, std::size_t at, std::size_t length) {
  if (at + length > text.size()) {
    return -1;
  }
  const auto value = digits(text.substr(at, length));
  return value ? static_cast<int>(*value) : -1;
}

/// Minutes east of UTC of `Z` or `+hh:mm`; nothing for any other text.
std::optional<int> zone_minutes(std::string_view zone) {
  if (zone == "Z" || zone == "z") {
    return 0;
  }
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') {
    return std::nullopt;
  }
  const int hours = field(zone, 1, 2);
  const int minutes = field(zone, 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  return (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
}

std::optional<Time> rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      std::string_view("Tt ").find(text[10]) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(field(text, 0, 4)),
      std::chrono::month(static_cast<unsigned>(field(text, 5, 2))),
      std::chrono::day(static_cast<unsigned>(field(text, 8, 2)))};
  const int hour = field(text, 11, 2);
  const int minute = field(text, 14, 2);
  const int second = field(text, 17, 2);
  if (field(text, 0, 4) < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  std::size_t at = 19;
  int fraction_ms = 0;
  if (text[at] == '.') {
    int scale = 100;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      fraction_ms += (text[at] - '0') * scale;
      scale /= 10;
    }
  }
  const auto zone = zone_minutes(text.substr(at));
  if (!zone) {
    return std::nullopt;
  }
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - *zone) + std::chrono::seconds(second) +
         milliseconds(fraction_ms);
}

tl::unexpected<Error> refuse(std::string_view text, std::string_view expected) {
  return Failure(usage_error(fmt::format("'{}' is not {}", text, expected)));
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected = "a duration such as 500ms, 10s, 5m, 1h30m or 7d";
  std::int64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) {
    return refuse(text, kExpected);
  }
  while (!rest.empty()) {
    const std::size_t number_end = rest.find_first_not_of("0123456789");
    if (number_end == std::string_view::npos) {
      if (rest == "0") {
        break;
      }
      return refuse(text, kExpected);
    }
    const std::size_t unit_end = rest.find_first_of("0123456789", number_end);
    const auto number = digits(rest.substr(0, number_end));
    const auto factor = factor_of(
        kDurations,
        rest.substr(number_end,
                    unit_end == std::string_view::npos ? unit_end : unit_end - number_end));
    std::int64_t part = 0;
    if (!number || !factor || __builtin_mul_overflow(*number, *factor, &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return refuse(text, kExpected);
    }
    rest = unit_end == std::string_view::npos ? std::string_view() : rest.substr(unit_end);
  }
  return milliseconds(total);
}

Result<Time> parse_time(std::string_view text, Time now) {
  if (text == "now") {
    return now;
  }
  if (text.size() > 1 && (text[0] == '-' || text[0] == '+')) {
    if (const auto distance = parse_duration(text.substr(1))) {
      return text[0] == '-' ? now - *distance : now + *distance;
    }
  }
  if (const auto number = digits(text)) {
    if (text.size() == 10) {
      return from_ms(*number * 1000);
    }
    if (text.size() == 13) {
      return from_ms(*number);
    }
  }
  if (const auto time = rfc3339(text)) {
    return *time;
  }
  return refuse(text, "a time such as 2026-01-31T08:00:00Z, 1767225600, now or -10m");
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  const auto number = digits(text.substr(0, end));
  const auto factor =
      factor_of(kSizes, end == std::string_view::npos ? std::string_view() : text.substr(end));
  std::int64_t value = 0;
  if (!number || !factor || __builtin_mul_overflow(*number, *factor, &value)) {
    return refuse(text, "a size such as 512, 64KiB or 10MiB");
  }
  return static_cast<std::uint64_t>(value);
}

Result<Rate> parse_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = parse_number(text.substr(0, slash));
  const auto factor =
      slash == std::string_view::npos ? std::nullopt : factor_of(kRates, text.substr(slash + 1));
  if (!number || !factor || *number <= 0) {
    return refuse(text, "a rate such as 500/s or 30/m");
  }
  return Rate{*number / static_cast<double>(*factor)};
}

Result<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return refuse(text, "a whole number");
  }
  return value;
}

Result<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return refuse(text, "a number");
  }
  return value;
}

Result<KeyValue> parse_key_value(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return refuse(text, "of the form key=text, key:=JSON or key=@FILE");
  }
  KeyValue pair;
  std::string_view value = text.substr(equals + 1);
  if (text[equals - 1] == ':') {
    pair.key = text.substr(0, equals - 1);
    const auto parsed = json::Document::parse(value, json::kApi);
    if (pair.key.empty() || !parsed) {
      return refuse(text, "of the form key:=JSON (text needs quotes, or use key=text)");
    }
    pair.json = parsed->root().raw();
    return pair;
  }
  pair.key = text.substr(0, equals);
  std::string content;
  if (value.starts_with('@')) {
    auto file = read_whole(std::string(value.substr(1)));
    if (!file) {
      return Failure(file.error());
    }
    content = std::move(*file);
    value = content;
  }
  if (!encoding::is_utf8(value)) {
    return refuse(pair.key, "given as UTF-8");
  }
  json::append_string(pair.json, value);
  return pair;
}

Result<void> check_value(Type type, std::string_view text, Time now) {
  const auto verdict = [](const auto& result) -> Result<void> {
    if (!result) {
      return Failure(result.error());
    }
    return {};
  };
  switch (type) {
    case Type::Text:
      return {};
    case Type::Integer:
      return verdict(parse_integer(text));
    case Type::Number:
      return verdict(parse_number(text));
    case Type::Duration:
      return verdict(parse_duration(text));
    case Type::Time:
      return verdict(parse_time(text, now));
    case Type::Size:
      return verdict(parse_size(text));
    case Type::Rate:
      return verdict(parse_rate(text));
    case Type::KeyValue:
      break;
  }
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos && text.substr(equals).starts_with("=@")) {
    return {};  // the file is read when the value is asked for
  }
  return verdict(parse_key_value(text));
}

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::int64_t ms = (time - day).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     ms / 3'600'000,
                     ms / 60'000 % 60,
                     ms / 1000 % 60,
                     ms % 1000);
}

std::string format_duration(milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms < 1000) {
    return fmt::format("{} ms", ms);
  }
  if (ms < 60'000) {
    return fmt::format("{}.{} s", ms / 1000, ms % 1000 / 100);
  }
  const std::int64_t s = ms / 1000;
  if (s < 3600) {
    return fmt::format("{} min {} s", s / 60, s % 60);
  }
  if (s < 86'400) {
    return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
  }
  return fmt::format("{} d {} h", s / 86'400, s / 3600 % 24);
}

}  // namespace edge::cli
