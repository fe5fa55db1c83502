// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/profiles/segments/definition.h"

namespace edge::profiles {

/// Reads the definitions of one file of at most 1 MiB: an object, whose name is that of the file
/// unless it gives one, or a list of objects with names.
///
/// Failure: InvalidArgument; the message begins with the file's name.
Result<std::vector<Definition>> read_definition_file(const std::filesystem::path& file);

/// All definitions of a configuration: its tables `[[segments]]`, then the files `segments/*.json`
/// beside it in order of their names.
///
/// Failure: InvalidArgument naming the table's line or the file, also for two of one name.
Result<std::vector<Definition>> configured_definitions(const config::Config& config);

}  // namespace edge::profiles
