// SPDX-License-Identifier: MIT
#include "core/events/overlay.h"

#include <algorithm>

#include "core/encoding/hex.h"
#include "core/encoding/utf8.h"
#include "core/events/member_index.h"

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
  std::vector<std::string_view> patched;
  for (const Patch& patch : group) {
    patched.emplace_back(patch.inner);
  }
  std::ranges::sort(patched);
  out.begin_object();
  for (const auto& [name, value] : object.members()) {
    if (!std::ranges::binary_search(patched, name)) {
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

using Groups = std::vector<std::span<const Patch>>;

/// The patches member by member.
Groups groups_of(std::span<const Patch> patches) {
  Groups groups;
  while (!patches.empty()) {
    const auto end = std::find_if(patches.begin(), patches.end(), [&](const Patch& p) {
      return p.member != patches.front().member;
    });
    groups.push_back(patches.first(static_cast<std::size_t>(end - patches.begin())));
    patches = patches.subspan(groups.back().size());
  }
  return groups;
}

/// There are few: a dozen members of the context are ever patched.
std::span<const Patch> group_of(const Groups& groups, std::string_view member) {
  const auto found = std::find_if(
      groups.begin(), groups.end(), [&](const auto& group) { return group[0].member == member; });
  return found == groups.end() ? std::span<const Patch>{} : *found;
}

void write_merged(Writer& out, Value below, Value above, bool deep) {
  const MemberIndex below_by_name(below);
  const MemberIndex above_by_name(above);
  out.begin_object();
  for (const auto& [name, value] : below.members()) {
    const auto over = above_by_name.find(name);
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
    if (!below_by_name.find(name)) {
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
  const Groups groups = groups_of(patches);
  out.begin_object();
  if (object) {
    for (const auto& [name, value] : object->members()) {
      const auto group = group_of(groups, name);
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
  for (const auto& group : groups) {
    if (!object || !object->find(group.front().member)) {
      write_new(out, group);
    }
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

Result<json::Document> cleaned(Value value) {
  Writer out;
  write_clean(out, value);
  auto document = json::Document::parse(out.take(), json::kEvent);
  if (document && document->has_duplicates()) {
    // Names that differed by a NUL only: now they are equal, and there is none left.
    write_clean(out, document->root());
    document = json::Document::parse(out.take(), json::kEvent);
  }
  return document;
}

}  // namespace edge::events
