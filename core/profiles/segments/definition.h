// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/segments/condition.h"

namespace edge::profiles {

/// Whom to tell about people who enter or leave, and as which kind of event.
struct SendTo {
  std::string destination = {};  ///< its id
  bool as_identify = false;      ///< traits `{NAME: true|false}` instead of a track event

  bool operator==(const SendTo&) const = default;
};

/// A segment as somebody wrote it (events spec 6.1). Immutable value.
struct Definition {
  std::string name = {};
  std::string title = {};
  Node tree = {};
  std::string when = {};  ///< the expression as written; empty when the tree was given
  bool is_enabled = true;
  bool wants_backfill = true;  ///< whether events from before it count
  std::vector<SendTo> send = {};
};

/// 1 to 100 of `A-Z a-z 0-9 _ . : -`.
bool is_segment_name(std::string_view name);

/// Reads a definition: an object with `conditions` (a tree) or `when` (an expression). `name`, when
/// given, is the one the place says (a route, a file) and may be left out of the object.
///
/// Failure: InvalidArgument, reason `bad_segment`, `bad_condition` or `bad_expression`, `field` = a
/// JSON pointer.
Result<Definition> read_definition(json::Value object, std::string_view name = {});

/// Writes all members in both forms: `conditions`, and `when` if the tree has one.
void write_definition_members(json::Writer& out, const Definition& definition);

/// What decides who is a member and what is kept for it: when this text changes, the segment is
/// computed anew.
std::string rule_text(const Definition& definition);

}  // namespace edge::profiles
