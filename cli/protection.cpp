// SPDX-License-Identifier: MIT
#include "cli/protection.h"

#include <fmt/format.h>

#include <string>

#include "cli/command.h"
#include "core/config/config.h"

namespace edge::cli {
namespace {

/// `dlq retry` is a replay with defaults. What is only printed, or goes to a URL that stands in no
/// configuration, is replayed into nothing.
bool endangers(const Call& call) {
  const Command& command = call.command();
  if (command.find_option("dry-run") == nullptr || call.dry_run()) {
    return false;
  }
  if (command.name() == "replay") {
    return call["to"] != "-" && !call["to"].starts_with("webhook:");
  }
  const std::string_view verb = command.verb();
  return verb == "delete" || verb == "purge" || verb == "discard" || command.name() == "dlq retry";
}

}  // namespace

Result<bool> ask_protected(Call& call) {
  if (!call.has("env") || !endangers(call) || !call.config().is_protected) {
    return true;
  }
  return call.confirm_name(
      fmt::format("\"{}\" is protected and {} changes it", call["env"], call.command().name()),
      call["env"]);
}

}  // namespace edge::cli
