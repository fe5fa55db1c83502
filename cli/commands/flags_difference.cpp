// SPDX-License-Identifier: MIT
#include "cli/commands/flags_difference.h"

#include <fmt/format.h>

#include "cli/bar.h"

namespace edge::cli::commands {

using flags::Change;

const std::string_view kDifferenceSchema = R"({
  "type": "object",
  "required": ["schema", "before", "after", "changes", "flags", "failures"],
  "properties": {
    "schema": {"const": "edge.flags-diff/1"},
    "before": {"type": "object", "required": ["from", "revision"]},
    "after": {"type": "object", "required": ["from", "revision"]},
    "changes": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["kind", "what", "flagKey", "key", "members"],
        "properties": {
          "kind": {"enum": ["added", "removed", "changed"]},
          "what": {"enum": ["flag", "variable", "rule", "audience", "holdout"]},
          "flagKey": {"type": "string"},
          "key": {"type": "string"},
          "members": {
            "type": "array",
            "items": {
              "type": "object",
              "required": ["name", "before", "after"],
              "properties": {
                "name": {"type": "string"},
                "before": {"type": "string"},
                "after": {"type": "string"}
              }
            }
          }
        }
      }
    },
    "flags": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["flagKey", "users", "moved", "movedPercent", "moves"],
        "properties": {
          "flagKey": {"type": "string"},
          "users": {"type": "integer"},
          "moved": {"type": "integer"},
          "movedPercent": {"type": "number"},
          "moves": {
            "type": "array",
            "items": {
              "type": "object",
              "required": ["from", "to", "users"],
              "properties": {
                "from": {"type": ["string", "null"]},
                "to": {"type": ["string", "null"]},
                "users": {"type": "integer"}
              }
            }
          }
        }
      }
    },
    "failures": {"type": "array", "items": {"type": "string"}}
  }
})";

namespace {

void write_source(json::Writer& out, std::string_view name, const DatafileSource& source) {
  out.key(name).begin_object().member("from", source.origin.from);
  out.member("revision", source.datafile->revision).end_object();
}

}  // namespace

double moved_percent(const flags::FlagMoves& moves) {
  return moves.users == 0
             ? 0
             : 100.0 * static_cast<double>(moves.moved) / static_cast<double>(moves.users);
}

std::string subject_of(const Change& change) {
  return change.flag_key.empty() || change.what == "flag"
             ? fmt::format("{} {}", change.what, change.key)
             : fmt::format("{} {} of {}", change.what, change.key, change.flag_key);
}

void write(json::Writer& out, const Change& change) {
  out.begin_object().member("kind", flags::name_of(change.kind)).member("what", change.what);
  out.member("flagKey", change.flag_key).member("key", change.key);
  out.key("members").begin_array();
  for (const Change::Member& member : change.members) {
    out.begin_object().member("name", member.name).member("before", member.before);
    out.member("after", member.after).end_object();
  }
  out.end_array().end_object();
}

void write_optional(json::Writer& out,
                    std::string_view name,
                    std::optional<std::string_view> text) {
  out.key(name);
  if (text) {
    out.string(*text);
  } else {
    out.null();
  }
}

std::string difference_json(const Difference& difference) {
  json::Writer out;
  out.begin_object().member("schema", "edge.flags-diff/1");
  write_source(out, "before", difference.before);
  write_source(out, "after", difference.after);
  out.key("changes").begin_array();
  for (const Change& change : difference.changes) {
    write(out, change);
  }
  out.end_array().key("flags").begin_array();
  for (const flags::FlagMoves& moves : difference.moves) {
    out.begin_object().member("flagKey", moves.flag_key).member("users", moves.users);
    out.member("moved", moves.moved).key("movedPercent").number(moved_percent(moves));
    out.key("moves").begin_array();
    for (const flags::Move& move : moves.moves) {
      out.begin_object();
      write_optional(out, "from", move.from);
      write_optional(out, "to", move.to);
      out.member("users", move.users).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().key("failures").begin_array();
  for (const std::string& failure : difference.failures) {
    out.string(failure);
  }
  return out.end_array().end_object().take();
}

std::string difference_text(const Difference& difference, const Layout& layout) {
  std::string text;
  for (const Change& change : difference.changes) {
    const char sign = change.kind == Change::Kind::Added     ? '+'
                      : change.kind == Change::Kind::Removed ? '-'
                                                             : '~';
    text += fmt::format("{} {}\n", sign, subject_of(change));
    for (const Change::Member& member : change.members) {
      text += fmt::format("    {}: {} -> {}\n",
                          member.name,
                          member.before.empty() ? "(nothing)" : member.before,
                          member.after.empty() ? "(nothing)" : member.after);
    }
  }
  if (difference.changes.empty()) {
    text += "the datafiles say the same\n";
  }
  for (const flags::FlagMoves& moves : difference.moves) {
    if (moves.moved == 0) {
      continue;
    }
    text += fmt::format("\n{}: {} of {} users moved ({:.2f} %)\n",
                        moves.flag_key,
                        spaced(moves.moved),
                        spaced(moves.users),
                        moved_percent(moves));
    std::vector<std::vector<std::string>> rows{{"FROM", "TO", "USERS"}};
    for (const flags::Move& move : moves.moves) {
      rows.push_back(
          {move.from.value_or("(none)"), move.to.value_or("(none)"), std::to_string(move.users)});
    }
    text += render_table(rows, layout);
  }
  return text;
}

}  // namespace edge::cli::commands
