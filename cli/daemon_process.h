// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/remote.h"
#include "core/base/result.h"

namespace edge::cli {

/// `edged` beside this program, else in PATH; empty when there is none.
std::string find_edged();
/// `$XDG_STATE_HOME/edgectl/edged.log`, else below `~/.local/state`.
std::string log_path();

struct Launch {
  std::vector<std::string> arguments = {};  ///< behind `edged`
  std::string log = {};                     ///< its stderr goes there
  std::chrono::milliseconds patience{10'000};
  std::map<std::string, std::string> environment = {};  ///< added to this program's
};

struct Started {
  RuntimeFile runtime = {};
  std::chrono::milliseconds after{0};
};

/// Starts `edged` in the background, in a session of its own, and waits until it has written its
/// runtime file.
///
/// Failures: NotFound (no program), Unavailable with the last line of its log when it ended (reason
/// `daemon_failed`; `exit_of` holds its code) or DeadlineExceeded when it did not get ready; then
/// it is stopped again.
Result<Started> launch(const Launch& wanted, int& exit_of);

/// Asks the daemon to stop and waits until it has gone. False when it is still there after
/// `patience`.
bool stop_daemon(pid_t pid, std::chrono::milliseconds patience);

/// The last line of a text file that is not blank; for messages.
std::string last_line(const std::string& path);

}  // namespace edge::cli
