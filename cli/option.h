// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace edge::cli {

/// How the text of a value is read; checked while parsing, so that a handler's typed access cannot
/// fail.
enum class Type : std::uint8_t {
  Text,
  Integer,   ///< decimal, 64 bits
  Number,    ///< decimal fraction
  Duration,  ///< `500ms 10s 5m 2h 7d`, sums `1h30m`
  Time,      ///< RFC 3339, 10-digit seconds, 13-digit milliseconds, `now`, `-10m`
  Size,      ///< `512`, `64KiB`, `10MiB`, `1GiB`
  Rate,      ///< `500/s`, `30/m`
  KeyValue,  ///< `k=text`, `k:=JSON`, `k=@FILE`
};

/// What a shell offers while a value is typed.
enum class Complete : std::uint8_t {
  Nothing,
  Files,
  Directories,
  Commands,
  Environments,
  Destinations
};

/// One row of a command's table: an option, a flag or a positional. All texts are literals that
/// live for ever.
struct Option {
  std::string_view name =
      {};           ///< `campaign` for `--campaign`; for a positional the word of the usage line
  char letter = 0;  ///< `u` for `-u`
  std::string_view value =
      {};  ///< word for the value in help (`ID`, `FILE`); empty = a flag that takes none
  std::string_view help = {};  ///< one line, lower case, no full stop
  Type type = Type::Text;
  bool required = false;
  bool repeatable = false;
  std::string_view fallback = {};              ///< the value when none is given; shown in help
  std::string_view env = {};                   ///< environment variable that stands in for the flag
  std::vector<std::string_view> choices = {};  ///< the only values accepted, when not empty
  Complete complete = Complete::Nothing;
  std::string_view group = "Options";  ///< heading in help
  bool hidden = false;                 ///< accepted, shown nowhere

  [[nodiscard]] bool takes_value() const { return !value.empty(); }
};

/// The flags every command takes (cli spec 4), in the order help shows them.
const std::vector<Option>& global_options();
/// `-n`, which only commands that change something take.
const Option& dry_run_option();
/// `-i`, which only commands that read an input take.
const Option& input_option();

}  // namespace edge::cli
