// SPDX-License-Identifier: MIT
#include "core/events/overlay.h"

#include <algorithm>

#include "core/encoding/hex.h"
#include "core/encoding/utf8.h"

namespace edge::events {
namespace {

using json::Kind;
using json::Value;
using json::Writer;

void write_new(Writer& out, std::span<const Patch> group) {
  if (group.front().inner.empty()) {
    if (!group.front().json.empty()) {
      out.key(group.front().member).raw(group.front().json);
    }
    return;
  }
  out.key(group.front().member).begin_object();
  for (const Patch& patch : group) {
    if (!patch.json.empty()) {
      out.key(patch.inner).raw(patch.json);
    }
  }
  out.end_object();
}

void write_inner(Writer& out, Value object, std::span<const Patch> group) {
  out.begin_object();
  for (const auto& [name, value] : object.members()) {
    const bool patched = std::any_of(
        group.begin(), group.end(), [name = name](const Patch& p) { return p.inner == name; });
    if (!patched) {
      out.key(name).value(value);
    }
  }
  for (const Patch& patch : group) {
    if (!patch.json.empty()) {
      out.key(patch.inner).raw(patch.json);
    }
  }
  out.end_object();
}

/// The patches of the member at the front of `patches`.
std::span<const Patch> first_group(std::span<const Patch> patches) {
  const auto end = std::find_if(patches.begin(), patches.end(), [&](const Patch& p) {
    return p.member != patches.front().member;
  });
  return patches.first(static_cast<std::size_t>(end - patches.begin()));
}

std::span<const Patch> group_of(std::span<const Patch> patches, std::string_view member) {
  while (!patches.empty()) {
    const auto group = first_group(patches);
    if (group.front().member == member) {
      return group;
    }
    patches = patches.subspan(group.size());
  }
  return {};
}

void write_merged(Writer& out, Value below, Value above, bool deep) {
  out.begin_object();
  for (const auto& [name, value] : below.members()) {
    const auto over = above.find(name);
    if (!over) {
      out.key(name).value(value);
    } else if (deep && value.is_object() && over->is_object()) {
      out.key(name);
      write_merged(out, value, *over, true);
    } else {
      out.key(name).value(*over);
    }
  }
  for (const auto& [name, value] : above.members()) {
    if (!below.find(name)) {
      out.key(name).value(value);
    }
  }
  out.end_object();
}

std::string without_nul(std::string_view text) {
  std::string kept(text);
  std::erase(kept, '\0');
  return kept;
}

void write_clean(Writer& out, Value value) {
  switch (value.kind()) {
    case Kind::Object:
      out.begin_object();
      for (const auto& [name, member] : value.members()) {
        out.key(without_nul(name));
        write_clean(out, member);
      }
      out.end_object();
      return;
    case Kind::Array:
      out.begin_array();
      for (const Value element : value.elements()) {
        write_clean(out, element);
      }
      out.end_array();
      return;
    case Kind::String:
      out.string(without_nul(*value.as_string()));
      return;
    default:
      out.raw(value.raw());
  }
}

/// The code unit of the `\uXXXX` at `at`, 0 when there is none (which is unclean as well).
unsigned escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') {
    return 0;
  }
  unsigned unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    unit = unit * 16 + static_cast<unsigned>(std::max(encoding::hex_digit(c), 0));
  }
  return unit;
}

}  // namespace

std::string clean_text(std::string_view text) {
  return without_nul(encoding::repaired_utf8(text));
}

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

void write_patched(Writer& out, std::optional<Value> object, std::span<const Patch> patches) {
  if (patches.empty()) {
    object ? out.value(*object) : out.raw("{}");
    return;
  }
  out.begin_object();
  if (object) {
    for (const auto& [name, value] : object->members()) {
      const auto group = group_of(patches, name);
      if (group.empty() ||
          (!group.front().inner.empty() && !value.is_object() && !value.is_null())) {
        out.key(name).value(value);
      } else if (group.front().inner.empty() || value.is_null()) {
        write_new(out, group);
      } else {
        out.key(name);
        write_inner(out, value, group);
      }
    }
  }
  while (!patches.empty()) {
    const auto group = first_group(patches);
    if (!object || !object->find(group.front().member)) {
      write_new(out, group);
    }
    patches = patches.subspan(group.size());
  }
  out.end_object();
}

std::string merged(Value below, Value above, bool deep) {
  Writer out;
  write_merged(out, below, above, deep);
  return out.take();
}

bool is_clean(std::string_view json) {
  if (json.find('\n') != std::string_view::npos || json.find('\r') != std::string_view::npos) {
    return false;
  }
  for (std::size_t at = json.find('\\'); at != std::string_view::npos; at = json.find('\\', at)) {
    if (at + 1 >= json.size() || json[at + 1] != 'u') {
      at += 2;
      continue;
    }
    const unsigned unit = escaped_unit(json, at);
    at += 6;
    if (unit == 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) {
      return false;
    }
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      const unsigned second = escaped_unit(json, at);
      if (second < 0xDC00 || second > 0xDFFF) {
        return false;
      }
      at += 6;
    }
  }
  return true;
}

std::string cleaned(Value value) {
  Writer out;
  write_clean(out, value);
  return out.take();
}

}  // namespace edge::events
