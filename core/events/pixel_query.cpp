// SPDX-License-Identifier: MIT
// Events in the query of an image (events spec 2.5).
#include <algorithm>
#include <array>
#include <memory>

#include "core/encoding/base64.h"
#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"
#include "core/events/shapes.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

/// Objects of texts, in order of appearance.
struct Node {
  std::string name;
  std::optional<std::string> text = {};
  std::vector<Node> members = {};

  Node* find(std::string_view member) {
    const auto found = std::find_if(
        members.begin(), members.end(), [&](const Node& n) { return n.name == member; });
    return found == members.end() ? nullptr : &*found;
  }
};

constexpr std::array<std::string_view, 4> kRoots = {
    "properties", "traits", "context", "integrations"};
constexpr std::size_t kMaxParts = 8;

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dot = name.find('.');
    parts.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) {
      return parts;
    }
    name.remove_prefix(dot + 1);
  }
}

bool is_usable(const std::vector<std::string_view>& parts) {
  const bool strange = std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
    return part.empty() || part == "__proto__";
  });
  const bool known_root = std::find(kRoots.begin(), kRoots.end(), parts.front()) != kRoots.end();
  return !strange && parts.size() <= kMaxParts && (parts.size() == 1 || known_root);
}

/// The first of equal names wins, also over what would lie below it.
void put(Node& root, const std::vector<std::string_view>& parts, std::string value) {
  Node* node = &root;
  for (const std::string_view part : parts) {
    if (node->text) {
      return;
    }
    Node* next = node->find(part);
    node = next != nullptr ? next : &node->members.emplace_back(Node{.name = std::string(part)});
  }
  if (!node->text && node->members.empty()) {
    node->text = std::move(value);
  }
}

void write(json::Writer& out, const Node& node) {
  if (node.text) {
    out.string(*node.text);
    return;
  }
  out.begin_object();
  for (const Node& member : node.members) {
    out.key(member.name);
    write(out, member);
  }
  out.end_object();
}

std::string with_type(json::Value event, std::string_view type) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : event.members()) {
    if (name != "type" && name != "writeKey") {
      out.key(name).value(value);
    }
  }
  return out.member("type", type).end_object().take();
}

Result<PixelQuery> from_data(std::string_view type, std::string_view data, std::string write_key) {
  auto text =
      data.starts_with('{') ? std::optional<std::string>(data) : encoding::base64_decode_any(data);
  auto parsed =
      text ? json::Document::parse(*text, json::kEvent)
           : Failure({ErrorCode::InvalidArgument, "data is no base64", "/data", "invalid_json"});
  if (!parsed) {
    return Failure({ErrorCode::InvalidArgument, "data holds no JSON", "/data", "invalid_json"});
  }
  const json::Value event = parsed->root();
  if (!event.is_object()) {
    return Failure(
        {ErrorCode::InvalidArgument, "event must be a JSON object", "/data", "event_not_object"});
  }
  const auto key = event.find("writeKey");
  if (key && key->is_string()) {
    write_key = *key->as_string();
  }
  return PixelQuery{.raw = with_type(event, type), .write_key = std::move(write_key)};
}

}  // namespace

Result<PixelQuery> from_pixel_query(std::string_view type, std::string_view query) {
  if (query.starts_with('?')) {
    query.remove_prefix(1);
  }
  auto pairs = encoding::parse_form(query);
  std::string write_key;
  const auto named = [&pairs](std::string_view name) {
    return std::find_if(
        pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
  };
  if (const auto key = named("writeKey"); key != pairs.end()) {
    write_key = key->second;
  }
  if (const auto data = named("data"); data != pairs.end()) {
    return from_data(type, data->second, std::move(write_key));
  }
  Node root;
  for (auto& [name, value] : pairs) {
    // Octets that are no UTF-8 would make the event unreadable.
    name = encoding::repaired_utf8(name);
    value = encoding::repaired_utf8(value);
    const auto parts = parts_of(name);
    if (name != "writeKey" && name != "type" && is_usable(parts)) {
      put(root, parts, std::move(value));
    }
  }
  root.members.push_back(Node{.name = "type", .text = std::string(type)});
  json::Writer out;
  write(out, root);
  return PixelQuery{.raw = out.take(), .write_key = std::move(write_key)};
}

}  // namespace edge::events
