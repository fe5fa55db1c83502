// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "cli/command.h"

namespace edge::cli::commands {

/// Adds `--type`, `--event` and `--user`: what `choice_of` reads.
Command& with_choice(Command& command);
/// Adds `--where` and `--since`, of which `since` is the help.
Command& with_filter(Command& command, std::string_view since);

/// Schema of what lists events.
inline constexpr std::string_view kEventsSchema =
    R"({"type":"object","required":["schema","events"],"properties":{"schema":)"
    R"({"const":"edge.events/1"},"events":{"type":"array"}}})";

}  // namespace edge::cli::commands
