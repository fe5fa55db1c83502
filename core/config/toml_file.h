// SPDX-License-Identifier: MIT
// The only place that names the TOML library.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace edge::config {

enum class TomlKind : std::uint8_t { Text, Whole, Boolean, Texts, Table, Tables, Other };

/// One member of a table, in the order of the file. A copy: it outlives the text.
struct TomlNode {
  std::string name = {};
  TomlKind kind = TomlKind::Other;
  std::string text = {};                 ///< of Text, Whole and Boolean, as plain text
  std::vector<std::string> texts = {};   ///< of Texts
  std::vector<TomlNode> members = {};    ///< of Table
  std::vector<std::string> tables = {};  ///< of Tables: each as a JSON object text
  std::vector<std::size_t> table_lines = {};
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t value_begin = 0;  ///< octets of the value in the text
  std::size_t value_end = 0;
};

/// Reads TOML 1.0. Failure: InvalidArgument, `NAME:LINE:COLUMN: why`.
Result<std::vector<TomlNode>> parse_toml(std::string_view text, const std::string& name);

}  // namespace edge::config
