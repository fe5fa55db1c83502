// SPDX-License-Identifier: MIT
#include "cli/commands/event_options.h"

namespace edge::cli::commands {

Command& with_choice(Command& command) {
  return command
      .option({.name = "type",
               .value = "TYPE",
               .help = "events of this type only",
               .choices = {"track", "page", "screen", "identify", "group", "alias"}})
      .option({.name = "event", .value = "NAME", .help = "track, page and screen of this name"})
      .option(
          {.name = "user", .value = "ID", .help = "of this user, or visitor without a user id"});
}

Command& with_filter(Command& command, std::string_view since) {
  return command
      .option({.name = "where",
               .value = "EXPR",
               .help = "an expression over the event, such as properties.total > 10"})
      .option({.name = "since", .value = "TIME", .help = since, .type = Type::Time});
}

}  // namespace edge::cli::commands
