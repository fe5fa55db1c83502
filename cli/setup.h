// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/call.h"
#include "core/config/config.h"

namespace edge::cli {

/// Makes the keys that a data directory lacks and names them (`pixel key`, `JWT key`). Those that
/// are there stay.
Result<std::vector<std::string>> make_keys(Call& call, const std::filesystem::path& data_dir);

/// A setting that cannot work.
struct Finding {
  std::string key = {};
  std::string message = {};
};

/// Looks at what the settings point at: addresses, files, networks, destinations.
std::vector<Finding> examine_config(const config::Config& config);

}  // namespace edge::cli
