// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/config/config.h"
#include "core/config/load.h"
#include "daemon/bind_rules.h"
#include "daemon/http/limits.h"
#include "daemon/log.h"

namespace edge {

/// What the command line of `edged` says (cli spec 11).
struct CommandLine {
  enum class Action { Serve, CheckConfig, PrintConfig, PrintLimits };
  Action action = Action::Serve;
  config::Sources sources = {};
  std::string env_file = {};
  std::string pid_file = {};
  bool allow_insecure_permissions = false;
  BindConsent consent = {};
  Log::Options log = {};
};

/// The process ends now with this code; `text` was not printed yet.
struct EarlyExit {
  int code = 0;
  std::string text = {};
};

/// Reads the arguments without the program's name. `--help` and `--version` exit with 0, misuse
/// with 2.
std::variant<CommandLine, EarlyExit> read_command_line(std::span<const char* const> arguments);

/// All limits of the HTTP server as a table, `NAME DEFAULT CONFIGURED UNIT` per line below a
/// heading. `now` and `bodies` are the configured ones; what cannot be configured has its value
/// twice.
std::string limits_text(const http::Limits& now, const config::HttpLimits& bodies);

}  // namespace edge
