// SPDX-License-Identifier: MIT
// Objects that we change in few places are not taken apart: what the client sent travels as
// received, and the changes lie over it as a short list of patches that the writer weaves in.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::events {

/// One change of an object, at most two levels deep. Patches of one member stand next to each
/// other.
struct Patch {
  std::string_view member;  ///< must outlive the patch
  std::string inner = {};   ///< a member of that member; empty = the member itself
  std::string json = {};    ///< its new value; empty = the member is removed
  /// The member of the event whose text it repeats, such as `properties.url`; empty: none.
  std::string_view from = {};

  bool operator==(const Patch&) const = default;
};

/// A text from outside of the event (a header, a part of a URL) as an event may hold it: U+FFFD for
/// octets that are no UTF-8, without NUL.
std::string clean_text(std::string_view text);

/// A text as JSON, quotes included. UTF-8.
std::string json_text(std::string_view text);

/// Writes `object` (nothing counts as `{}`) with the patches laid over it. Patched members keep
/// their place, new ones follow behind. An inner patch of a member that is no object is left out:
/// what the client sent stays.
void write_patched(json::Writer& out,
                   std::optional<json::Value> object,
                   std::span<const Patch> patches);

/// `above` laid over `below`, both objects: JSON text of the result. Members that are objects on
/// both sides are merged the same way when `deep`, otherwise `above` wins.
std::string merged(json::Value below, json::Value above, bool deep);

/// Whether the text of an event can be stored as it stands: one line, no NUL, no half of a
/// surrogate pair. (Repeated member names are known by the document.)
bool is_clean(std::string_view json);

/// The same value as a document of clean text: last of repeated names, no white space outside of
/// strings, no NUL in strings and names; numbers keep their digits.
Result<json::Document> cleaned(json::Value value);

}  // namespace edge::events
