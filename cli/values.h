// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/option.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace edge::cli {

/// `500/s`, `30/m`, `1000/h`.
struct Rate {
  double per_second = 0;
};

/// `k=text`, `k:=JSON`, `k=@FILE`.
struct KeyValue {
  std::string key = {};
  std::string json = {};  ///< the value as JSON text: `"text"`, `42`, `{"a":1}`
};

/// Value types of the command line (cli spec 4). Failures: InvalidArgument, reason `usage`, the
/// text in quotes.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// `now` is needed for `now` and times relative to it (`-10m`).
Result<Time> parse_time(std::string_view text, Time now);
Result<std::uint64_t> parse_size(std::string_view text);
Result<Rate> parse_rate(std::string_view text);
Result<std::int64_t> parse_integer(std::string_view text);
Result<double> parse_number(std::string_view text);
/// Reads `k=@FILE` too; a file that cannot be read is InvalidArgument without the usage reason
/// (exit 3).
Result<KeyValue> parse_key_value(std::string_view text);

/// Whether `text` is a value of `type`.
Result<void> check_value(Type type, std::string_view text, Time now);

/// RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.000Z`.
std::string format_time(Time time);
/// `41 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace edge::cli
