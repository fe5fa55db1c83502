// SPDX-License-Identifier: MIT
#include "core/json/canonical.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::json {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

Result<void> append(std::string& out, Value value);

Result<void> append_number_of(std::string& out, Value value) {
  const double number = *value.as_double();
  const bool integer = value.raw().find_first_of(".eE") == std::string_view::npos;
  if (!std::isfinite(number) || (integer && std::fabs(number) > kMaxSafeInteger)) {
    return Failure({ErrorCode::InvalidArgument,
                    "number " + std::string(value.raw()) + " cannot be kept exactly"});
  }
  append_number(out, number);
  return {};
}

Result<void> append_array(std::string& out, Value value) {
  out += '[';
  bool first = true;
  for (const Value element : value.elements()) {
    if (!first) {
      out += ',';
    }
    first = false;
    if (auto done = append(out, element); !done) {
      return done;
    }
  }
  out += ']';
  return {};
}

Result<void> append_object(std::string& out, Value value) {
  std::vector<Member> members;
  for (const Member member : value.members()) {
    members.push_back(member);
  }
  std::ranges::sort(members, [](const Member& left, const Member& right) {
    return encoding::compare_utf16(left.name, right.name) < 0;
  });
  out += '{';
  bool first = true;
  for (const auto& [name, member] : members) {
    if (!first) {
      out += ',';
    }
    first = false;
    append_string(out, name);
    out += ':';
    if (auto done = append(out, member); !done) {
      return done;
    }
  }
  out += '}';
  return {};
}

Result<void> append(std::string& out, Value value) {
  switch (value.kind()) {
    case Kind::Number:
      return append_number_of(out, value);
    case Kind::String:
      append_string(out, *value.as_string());
      return {};
    case Kind::Array:
      return append_array(out, value);
    case Kind::Object:
      return append_object(out, value);
    default:
      out += value.raw();
      return {};
  }
}

}  // namespace

Result<std::string> canonical(Value value) {
  std::string out;
  if (auto done = append(out, value); !done) {
    return Failure(done.error());
  }
  return out;
}

std::uint32_t depth_of(Value value) {
  std::uint32_t deepest = 0;
  for (const Value element : value.elements()) {
    deepest = std::max(deepest, depth_of(element));
  }
  for (const auto& [name, member] : value.members()) {
    deepest = std::max(deepest, depth_of(member));
  }
  return value.is_array() || value.is_object() ? deepest + 1 : 0;
}

}  // namespace edge::json
