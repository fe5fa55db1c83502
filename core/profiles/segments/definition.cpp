// SPDX-License-Identifier: MIT
#include "core/profiles/segments/definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/profiles/segments/expression.h"

namespace edge::profiles {
namespace {

using json::Value;

constexpr std::size_t kMaxTitleBytes = 300;
constexpr std::size_t kMaxSends = 10;

Error bad(std::string field, std::string message) {
  return {.code = ErrorCode::InvalidArgument,
          .message = std::move(message),
          .field = "/" + std::move(field),
          .reason = "bad_segment"};
}

std::optional<Value> member_of(Value object, std::string_view name) {
  const auto value = object.find(name);
  return value && !value->is_null() ? value : std::nullopt;
}

Result<bool> flag(Value object, std::string_view name) {
  const auto value = member_of(object, name);
  if (value && !value->is_bool()) {
    return Failure(bad(std::string(name), fmt::format("{} must be true or false", name)));
  }
  return !value || *value->as_bool();
}

/// The tree; both forms may be given when they say the same, as an answer of ours does. Then it is
/// that of `conditions`, which says more than an expression can.
Result<Node> tree_of(Value object, std::string& when) {
  const auto conditions = member_of(object, "conditions");
  const auto expression = member_of(object, "when");
  if (!conditions && !expression) {
    return Failure(bad("conditions", "a segment needs conditions or when"));
  }
  if (!expression) {
    return read_conditions(*conditions);
  }
  const auto text = expression->as_string();
  if (!text) {
    return Failure(bad("when", "when must be a text"));
  }
  when = *text;
  if (!conditions) {
    return parse_expression(*text);
  }
  auto tree = read_conditions(*conditions);
  const auto printed = tree ? to_expression(*tree) : std::nullopt;
  if (!tree || printed == *text) {
    return tree;
  }
  const auto other = parse_expression(*text);
  if (!other) {
    return Failure(other.error());
  }
  if (to_expression(*other) != printed) {
    return Failure(bad("when", "conditions and when differ; give one of them"));
  }
  return tree;
}

Result<std::vector<SendTo>> sends_of(Value object) {
  std::vector<SendTo> sends;
  const auto list = member_of(object, "send");
  if (!list) {
    return sends;
  }
  if (!list->is_array() || list->size() > kMaxSends) {
    return Failure(bad("send", fmt::format("send is a list of at most {} objects", kMaxSends)));
  }
  for (const Value one : list->elements()) {
    const auto destination = one.find("destination");
    const auto id = destination ? destination->as_string() : std::nullopt;
    const auto form = one.find("as");
    const auto as = form ? form->as_string() : std::optional<std::string_view>("track");
    if (!id || id->empty() || !as || (*as != "track" && *as != "identify")) {
      return Failure(
          bad("send", R"(each of send is {"destination":ID,"as":"track"} or {…,"as":"identify"})"));
    }
    sends.push_back({.destination = std::string(*id), .as_identify = *as == "identify"});
  }
  return sends;
}

Result<void> check_members(Value object) {
  static constexpr std::array<std::string_view, 7> kMembers = {
      "name", "title", "conditions", "when", "enabled", "backfill", "send"};
  for (const auto [name, value] : object.members()) {
    if (name != "schema" && std::ranges::find(kMembers, name) == kMembers.end()) {
      return Failure(bad(std::string(name), fmt::format("a segment has no \"{}\"", name)));
    }
  }
  return {};
}

}  // namespace

bool is_segment_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
  });
}

Result<Definition> read_definition(Value object, std::string_view name) {
  if (!object.is_object()) {
    return Failure(bad("", "a segment is a JSON object"));
  }
  if (const auto known = check_members(object); !known) {
    return Failure(known.error());
  }
  Definition definition;
  const auto given = member_of(object, "name");
  const auto text = given ? given->as_string() : std::optional(name);
  if (!text || !is_segment_name(*text) || (!name.empty() && *text != name)) {
    return Failure(bad("name",
                       name.empty() || !text || !is_segment_name(*text)
                           ? std::string("name must be 1 to 100 of A-Z a-z 0-9 _ . : -")
                           : fmt::format("name must be \"{}\" here", name)));
  }
  definition.name = *text;
  if (const auto title = member_of(object, "title")) {
    if (!title->is_string() || title->as_string()->size() > kMaxTitleBytes) {
      return Failure(
          bad("title", fmt::format("title is a text of at most {} octets", kMaxTitleBytes)));
    }
    definition.title = *title->as_string();
  }
  auto tree = tree_of(object, definition.when);
  const auto is_enabled = flag(object, "enabled");
  const auto wants_backfill = flag(object, "backfill");
  auto sends = sends_of(object);
  if (!tree) {
    return Failure(tree.error());
  }
  if (!is_enabled || !wants_backfill) {
    return Failure(is_enabled ? wants_backfill.error() : is_enabled.error());
  }
  if (!sends) {
    return Failure(sends.error());
  }
  definition.tree = std::move(*tree);
  definition.is_enabled = *is_enabled;
  definition.wants_backfill = *wants_backfill;
  definition.send = std::move(*sends);
  return definition;
}

void write_definition_members(json::Writer& out, const Definition& definition) {
  out.member("name", definition.name);
  if (!definition.title.empty()) {
    out.member("title", definition.title);
  }
  write_conditions(out.key("conditions"), definition.tree);
  if (const auto when = to_expression(definition.tree)) {
    out.member("when", *when);
  }
  out.member("enabled", definition.is_enabled).member("backfill", definition.wants_backfill);
  out.key("send").begin_array();
  for (const SendTo& send : definition.send) {
    out.begin_object().member("destination", send.destination);
    out.member("as", send.as_identify ? "identify" : "track").end_object();
  }
  out.end_array();
}

std::string rule_text(const Definition& definition) {
  return to_json(definition.tree) + (definition.wants_backfill ? "" : " from now on");
}

}  // namespace edge::profiles
