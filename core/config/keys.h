// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"

namespace edge::config {

/// The member a key sets; its type is the type of the key.
using Slot = std::variant<std::string*,
                          bool*,
                          std::int64_t*,
                          std::chrono::milliseconds*,
                          std::vector<std::string>*,
                          std::optional<bool>*>;

/// One scalar key of `edge.toml`.
struct Key {
  std::string_view name;  ///< `server.listen`; the variable is EDGE_SERVER_LISTEN
  std::string_view help;  ///< for the comment in the file and edge.toml(5)
  Slot (*slot)(Config&);
  std::vector<std::string_view> choices = {};  ///< the only values accepted, when not empty
};

/// One list of tables.
struct List {
  std::string_view name;  ///< `destinations`
  std::string_view help;
  std::vector<Item>* (*items)(Config&);
};

/// All keys in the order of the file, sections together.
const std::vector<Key>& keys();
const std::vector<List>& lists();
/// The row of a key; null when there is none of that name.
const Key* find_key(std::string_view name);

/// `EDGE_SERVER_LISTEN` for `server.listen`.
std::string variable_of(const Key& key);
/// The present value as TOML text: `["127.0.0.1:9100"]`, `"15m"`, `true`; an unset one is empty.
std::string value_text(const Key& key, const Config& config);
/// Sets a key from plain text, as a variable or a flag gives it: lists are separated by commas.
/// Failure: InvalidArgument naming the key and the value.
Result<void> set_from_text(const Key& key, std::string_view text, Config& config);
/// Whether a value may stand for this key. Failure: InvalidArgument.
Result<void> check_choice(const Key& key, std::string_view value);

/// `15m`, `1h30m`, `500ms`. Failure: InvalidArgument.
Result<std::chrono::milliseconds> parse_span(std::string_view text);
/// The shortest text that `parse_span` reads back.
std::string span_text(std::chrono::milliseconds span);

}  // namespace edge::config
