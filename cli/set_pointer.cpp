// SPDX-License-Identifier: MIT
#include "cli/set_pointer.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <span>
#include <vector>

#include "cli/problem.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

/// The names of a pointer; nothing when it is none.
std::optional<std::vector<std::string>> names_of(std::string_view pointer) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/') {
      names.emplace_back();
    } else if (names.empty()) {
      return std::nullopt;
    } else if (c != '~') {
      names.back() += c;
    } else if (i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      names.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      return std::nullopt;
    }
  }
  return names;
}

/// Writes `value` with the change in it; false when the way leads nowhere.
bool write_changed(json::Writer& out,
                   std::optional<json::Value> value,
                   std::span<const std::string> way,
                   std::string_view json) {
  if (way.empty()) {
    out.raw(json);
    return true;
  }
  const std::string& name = way.front();
  bool found = false;
  if (value && value->is_array()) {
    std::uint32_t index = value->size();
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_number = error == std::errc{} && end == name.data() + name.size();
    if ((name != "-" && !is_number) || index > value->size()) {
      return false;
    }
    out.begin_array();
    std::uint32_t at = 0;
    for (const json::Value element : value->elements()) {
      if (at++ != index) {
        out.value(element);
      } else if (found = true; !write_changed(out, element, way.subspan(1), json)) {
        return false;
      }
    }
    const bool done = found || write_changed(out, std::nullopt, way.subspan(1), json);
    out.end_array();
    return done;
  }
  if (value && !value->is_object()) {
    return false;
  }
  out.begin_object();
  for (const auto& [member, inner] : value ? value->members() : json::Members{}) {
    out.key(member);
    if (member != name) {
      out.value(inner);
    } else if (found = true; !write_changed(out, inner, way.subspan(1), json)) {
      return false;
    }
  }
  const bool done = found || write_changed(out.key(name), std::nullopt, way.subspan(1), json);
  out.end_object();
  return done;
}

}  // namespace

Result<std::string> set_at_pointer(json::Value document,
                                   std::string_view pointer,
                                   std::string_view json) {
  const auto names = names_of(pointer);
  if (!names) {
    return Failure(usage_error(
        fmt::format("\"{}\" is no JSON pointer such as /properties/plan", pointer), "set"));
  }
  json::Writer out;
  if (!write_changed(out, document, *names, json)) {
    return Failure(usage_error(
        fmt::format("\"{}\" leads into a value that has no such place", pointer), "set"));
  }
  return out.take();
}

}  // namespace edge::cli
