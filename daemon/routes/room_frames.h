// SPDX-License-Identifier: MIT
// What rooms and their clients say to each other as JSON (platform spec 4.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/state/room.h"

namespace edge::routes {

/// `event`, `data`, `to` and `echo` of an object. Failure: InvalidArgument with the member.
Result<state::Publication> read_publication(json::Value object, state::Person from);

/// The member `id` as it came, when it is a text or a number of at most 256 octets; else nothing.
std::optional<std::string_view> id_of(json::Value frame);

/// A list of texts, at most `most` of them with 1 to 256 octets each. Failure: InvalidArgument.
Result<std::vector<std::string>> read_names(json::Value frame,
                                            std::string_view member,
                                            std::size_t most);

/// A whole number from 0 on; `fallback` when it is absent. Failure: InvalidArgument.
Result<std::uint64_t> read_number(json::Value frame,
                                  std::string_view member,
                                  std::uint64_t fallback);

/// `{"type":"error","id"?,"code","message"}`
std::string error_frame(std::optional<std::string_view> id, const Error& error);

/// `"events":[…],"more":BOOL` of an answer, into an open object.
void write_history(json::Writer& out, const state::RoomHistoryAnswer& answer);

}  // namespace edge::routes
