// SPDX-License-Identifier: MIT
// Times in the spellings that clients use (events spec 1.4).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "core/encoding/rfc3339.h"
#include "core/events/event.h"

namespace edge::events {
namespace {

constexpr std::int64_t kEndOf2099Ms = 4'102'444'800'000;
constexpr double kLeastMilliseconds = 1e11;
constexpr std::size_t kLeastEpochDigits = 9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<Time> in_range(std::int64_t ms) {
  if (ms < 0 || ms >= kEndOf2099Ms) {
    return std::nullopt;
  }
  return from_ms(ms);
}

std::optional<Time> from_epoch(double number) {
  if (!(number >= 0) || number > 1e15) {
    return std::nullopt;
  }
  // Seconds with a fraction are cut to milliseconds; the tiny addition undoes the binary error of
  // 0.123 × 1000.
  const double ms = number >= kLeastMilliseconds ? number : number * 1000 + 1e-4;
  return in_range(static_cast<std::int64_t>(ms));
}

/// Reads the text from left to right; every step that does not fit leaves `ok` false.
struct Reader {
  std::string_view rest;
  bool ok = true;

  int number(std::size_t digits) {
    if (rest.size() < digits ||
        !std::all_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)) {
      ok = false;
      return 0;
    }
    int value = 0;
    for (const char c : rest.substr(0, digits)) {
      value = value * 10 + (c - '0');
    }
    rest.remove_prefix(digits);
    return value;
  }
  bool accept(char c) {
    if (rest.empty() || rest.front() != c) {
      return false;
    }
    rest.remove_prefix(1);
    return true;
  }
  void expect(char c) { ok = accept(c) && ok; }
  bool accept_any(std::string_view characters) {
    if (rest.empty() || characters.find(rest.front()) == std::string_view::npos) {
      return false;
    }
    rest.remove_prefix(1);
    return true;
  }
};

/// 1 to 9 digits behind the point, cut to milliseconds.
int fraction_ms(Reader& reader) {
  std::size_t digits = 0;
  int ms = 0;
  while (digits < reader.rest.size() && is_digit(reader.rest[digits])) {
    if (digits < 3) {
      ms = ms * 10 + (reader.rest[digits] - '0');
    }
    ++digits;
  }
  if (digits == 0 || digits > 9) {
    reader.ok = false;
    return 0;
  }
  for (std::size_t i = digits; i < 3; ++i) {
    ms *= 10;
  }
  reader.rest.remove_prefix(digits);
  return ms;
}

/// Milliseconds of the day.
std::int64_t time_of_day(Reader& reader) {
  const int hour = reader.number(2);
  reader.expect(':');
  const int minute = reader.number(2);
  int second = 0;
  int ms = 0;
  if (reader.accept(':')) {
    second = reader.number(2);
    if (reader.accept_any(".,")) {
      ms = fraction_ms(reader);
    }
  }
  reader.ok = reader.ok && hour < 24 && minute < 60 && second < 60;
  return ((hour * 60LL + minute) * 60 + second) * 1000 + ms;
}

/// Milliseconds the written time is ahead of UTC.
std::int64_t zone_offset(Reader& reader) {
  const bool has_blank = reader.accept(' ');
  if ((reader.rest.empty() && !has_blank) || reader.accept_any("Zz")) {
    return 0;
  }
  const bool west = reader.rest.starts_with('-');
  if (!reader.accept_any("+-")) {
    reader.ok = false;
    return 0;
  }
  const int hours = reader.number(2);
  int minutes = 0;
  if (reader.accept(':') || !reader.rest.empty()) {
    minutes = reader.number(2);
  }
  reader.ok = reader.ok && hours < 24 && minutes < 60;
  const std::int64_t offset = (hours * 60LL + minutes) * 60'000;
  return west ? -offset : offset;
}

}  // namespace

std::string format_time(Time time) {
  return encoding::rfc3339(time);
}

std::optional<Time> parse_time(std::string_view text) {
  const std::size_t digits =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  if (digits >= kLeastEpochDigits && (digits == text.size() || text[digits] == '.')) {
    double value = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    return failure == std::errc{} && end == text.data() + text.size() && text.back() != '.'
               ? from_epoch(value)
               : std::nullopt;
  }
  Reader reader{text};
  const int year = reader.number(4);
  reader.expect('-');
  const int month = reader.number(2);
  reader.expect('-');
  const int day = reader.number(2);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!reader.ok || !date.ok()) {
    return std::nullopt;
  }
  std::int64_t ms = std::chrono::sys_days{date}.time_since_epoch().count() * 86'400'000LL;
  if (!reader.rest.empty()) {
    if (!reader.accept_any("Tt ")) {
      return std::nullopt;
    }
    ms += time_of_day(reader);
    ms -= zone_offset(reader);
  }
  return reader.ok && reader.rest.empty() ? in_range(ms) : std::nullopt;
}

std::optional<Time> parse_time(json::Value value) {
  if (const auto text = value.as_string()) {
    return parse_time(*text);
  }
  const auto number = value.as_double();
  return number ? from_epoch(*number) : std::nullopt;
}

}  // namespace edge::events
