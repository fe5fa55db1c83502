// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace edge::flags {

template <typename T>
using Index = std::unordered_map<std::string_view, T>;

/// What a datafile says about the events that Optimizely wants of its decisions.
struct Reporting {
  bool is_european = false;           ///< region `EU`
  bool sends_flag_decisions = false;  ///< delivery rules are reported too
  bool anonymizes_ip = false;
  std::optional<bool> bot_filtering = {};
  std::string account_id = {};  ///< JSON as written, like the next two; empty when absent
  std::string project_id = {};
  std::string revision = {};
  Index<std::string_view> attribute_ids = {};  ///< by key
  Index<std::string_view> event_ids = {};      ///< of known conversions, by key
};

struct Datafile;
class RuleCompiler;

/// Reads the part into a datafile that is being built.
void compile_reporting(Datafile& datafile, RuleCompiler& rules);

}  // namespace edge::flags
