// SPDX-License-Identifier: MIT
// The matches of events spec 6.3: no conversion between kinds of values; what cannot be compared is
// undecided.
#include <clocale>
#include <cmath>
#include <cwctype>

#include "core/encoding/utf8.h"
#include "core/events/event.h"
#include "core/json/semver.h"
#include "core/profiles/segments/condition.h"

namespace edge::profiles {
namespace {

using json::Value;

constexpr double kLargestNumber = 9007199254740992.0;  // 2^53, as in the decision document

bool in_range(double number) {
  return std::abs(number) <= kLargestNumber;
}

/// Lower case by the simple mapping of Unicode, which the C library knows in its UTF-8 locale.
std::string lower(std::string_view text) {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const std::uint32_t point = encoding::next_code_point(text, position);
    encoding::append_utf8(out,
                          locale == nullptr || point < 0x80
                              ? (point >= 'A' && point <= 'Z' ? point + 0x20 : point)
                              : static_cast<std::uint32_t>(towlower_l(point, locale)));
  }
  return out;
}

Truth compare_numbers(double actual, Match match, const Literal& value) {
  if (value.kind != Literal::Kind::Number || !in_range(actual) || !in_range(value.number)) {
    return Truth::Undecided;
  }
  switch (match) {
    case Match::Exact:
      return truth_of(actual == value.number);
    case Match::Ne:
      return truth_of(actual != value.number);
    case Match::Gt:
      return truth_of(actual > value.number);
    case Match::Ge:
      return truth_of(actual >= value.number);
    case Match::Lt:
      return truth_of(actual < value.number);
    case Match::Le:
      return truth_of(actual <= value.number);
    default:
      return Truth::Undecided;
  }
}

Truth compare_versions(std::string_view actual, Match match, std::string_view wanted) {
  const auto user = json::parse_version(actual);
  const auto condition = json::parse_version(wanted);
  if (!user || !condition) {
    return Truth::Undecided;
  }
  const int order = json::compare_versions(*user, *condition);
  switch (match) {
    case Match::SemverEq:
      return truth_of(order == 0);
    case Match::SemverLt:
      return truth_of(order < 0);
    case Match::SemverLe:
      return truth_of(order <= 0);
    case Match::SemverGt:
      return truth_of(order > 0);
    default:
      return truth_of(order >= 0);
  }
}

Truth compare_plain_texts(std::string_view actual, Match match, std::string_view wanted) {
  switch (match) {
    case Match::Exact:
      return truth_of(actual == wanted);
    case Match::Ne:
      return truth_of(actual != wanted);
    case Match::Substring:
    case Match::Contains:
      return truth_of(actual.find(wanted) != std::string_view::npos);
    case Match::StartsWith:
      return truth_of(actual.starts_with(wanted));
    case Match::EndsWith:
      return truth_of(actual.ends_with(wanted));
    case Match::SemverEq:
    case Match::SemverLt:
    case Match::SemverLe:
    case Match::SemverGt:
    case Match::SemverGe:
      return compare_versions(actual, match, wanted);
    default:
      return Truth::Undecided;
  }
}

Truth compare_texts(std::string_view actual, const Comparison& comparison) {
  if (comparison.value.kind != Literal::Kind::Text) {
    return Truth::Undecided;
  }
  if (!comparison.ignore_case) {
    return compare_plain_texts(actual, comparison.match, comparison.value.text);
  }
  return compare_plain_texts(lower(actual), comparison.match, lower(comparison.value.text));
}

/// Whether a scalar is the literal; only values of one kind can be equal.
bool equals(Value actual, const Literal& wanted, bool ignore_case) {
  switch (wanted.kind) {
    case Literal::Kind::Text: {
      const auto text = actual.as_string();
      return text && (ignore_case ? lower(*text) == lower(wanted.text) : *text == wanted.text);
    }
    case Literal::Kind::Number: {
      const auto number = actual.as_double();
      return number && in_range(*number) && *number == wanted.number;
    }
    case Literal::Kind::Bool:
      return actual.as_bool() == wanted.boolean;
    default:
      return false;
  }
}

Truth is_listed(Value actual, const Comparison& comparison) {
  const auto number = actual.as_double();
  const bool is_scalar = actual.is_string() || actual.is_bool() || (number && in_range(*number));
  if (comparison.value.kind != Literal::Kind::List || !is_scalar) {
    return Truth::Undecided;
  }
  bool found = false;
  for (const Literal& wanted : comparison.value.list) {
    found = found || equals(actual, wanted, comparison.ignore_case);
  }
  return truth_of(found == (comparison.match == Match::In));
}

std::optional<Time> time_of(const Literal& literal) {
  if (literal.kind != Literal::Kind::Text && literal.kind != Literal::Kind::Number) {
    return std::nullopt;
  }
  return events::parse_time(literal.text);
}

/// Notes an instant at which something changes.
void note(Time at, Time now, Time& next) {
  if (at > now && at < next) {
    next = at;
  }
}

Truth compare_times(Value actual, const Comparison& comparison, Time now, Time& next) {
  const auto at = events::parse_time(actual);
  if (comparison.match == Match::Before || comparison.match == Match::After) {
    const auto wanted = time_of(comparison.value);
    if (!at || !wanted) {
      return Truth::Undecided;
    }
    return truth_of(comparison.match == Match::Before ? *at < *wanted : *at > *wanted);
  }
  const auto span = comparison.value.kind == Literal::Kind::Text
                        ? parse_duration(comparison.value.text)
                        : std::nullopt;
  if (!at || !span) {
    return Truth::Undecided;
  }
  switch (comparison.match) {
    case Match::WithinLast:
      note(*at, now, next);
      note(*at + span->time, now, next);
      return truth_of(*at <= now && now < *at + span->time);
    case Match::WithinNext:
      note(*at, now, next);
      note(*at - span->time, now, next);
      return truth_of(*at - span->time <= now && now < *at);
    case Match::OlderThan:
      note(*at + span->time, now, next);
      return truth_of(now >= *at + span->time);
    default:
      note(*at - span->time, now, next);
      return truth_of(now < *at - span->time);
  }
}

}  // namespace

Truth compare(double actual, const Comparison& comparison) {
  if (comparison.match == Match::In || comparison.match == Match::NotIn) {
    if (comparison.value.kind != Literal::Kind::List || !in_range(actual)) {
      return Truth::Undecided;
    }
    bool found = false;
    for (const Literal& wanted : comparison.value.list) {
      found = found || (wanted.kind == Literal::Kind::Number && wanted.number == actual);
    }
    return truth_of(found == (comparison.match == Match::In));
  }
  if (comparison.match == Match::Exists) {
    return Truth::True;
  }
  return compare_numbers(actual, comparison.match, comparison.value);
}

Truth compare(std::string_view actual, const Comparison& comparison) {
  return comparison.match == Match::Exists ? Truth::True : compare_texts(actual, comparison);
}

Truth compare(std::optional<Value> actual, const Comparison& comparison, Time now, Time& next) {
  const bool is_there = actual && !actual->is_null();
  if (comparison.match == Match::Exists) {
    return truth_of(is_there);
  }
  if (!is_there) {
    return Truth::Undecided;
  }
  switch (comparison.match) {
    case Match::In:
    case Match::NotIn:
      return is_listed(*actual, comparison);
    case Match::Before:
    case Match::After:
    case Match::WithinLast:
    case Match::WithinNext:
    case Match::OlderThan:
    case Match::BeyondNext:
      return compare_times(*actual, comparison, now, next);
    default:
      break;
  }
  if (comparison.match == Match::Contains && actual->is_array()) {
    for (const Value element : actual->elements()) {
      if (equals(element, comparison.value, comparison.ignore_case)) {
        return Truth::True;
      }
    }
    return Truth::False;
  }
  if (const auto text = actual->as_string()) {
    return compare_texts(*text, comparison);
  }
  if (const auto number = actual->as_double()) {
    return compare_numbers(*number, comparison.match, comparison.value);
  }
  const auto boolean = actual->as_bool();
  if (!boolean || comparison.value.kind != Literal::Kind::Bool ||
      (comparison.match != Match::Exact && comparison.match != Match::Ne)) {
    return Truth::Undecided;
  }
  return truth_of((*boolean == comparison.value.boolean) == (comparison.match == Match::Exact));
}

std::optional<Value> at_path(std::optional<Value> object, std::string_view path) {
  if (!object || !object->is_object()) {
    return std::nullopt;
  }
  if (auto literal = object->find(path)) {
    return literal;
  }
  // The longest key that is there and leads on wins, so `a.b` in `a.b.c` may be one key.
  for (std::size_t dot = path.rfind('.'); dot != std::string_view::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const auto inner = object->find(path.substr(0, dot));
    if (auto found = at_path(inner, path.substr(dot + 1))) {
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace edge::profiles
