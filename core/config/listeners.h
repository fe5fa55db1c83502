// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"

namespace edge::config {

/// One place the daemon listens at: an entry of `server.listen`, or a `[[server.listeners]]` table.
struct ListenAt {
  std::string address = {};                ///< `127.0.0.1:9100`, `[::1]:0`, `unix:/run/edged.sock`
  std::vector<std::string> surfaces = {};  ///< what it carries; empty = everything
  /// Unset: TCP speaks TLS when there is a certificate, a Unix socket never.
  std::optional<bool> tls = {};
  std::string where = {};  ///< the setting, for messages
};

/// All places in the order of the file, `server.listen` first.
///
/// Failure: InvalidArgument for a table with an unknown member or one of the wrong type, and when
/// there is no place at all.
Result<std::vector<ListenAt>> listeners(const Config& config);

}  // namespace edge::config
