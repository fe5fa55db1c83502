// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/call.h"

namespace edge::cli {

/// What says that there is no destination of that name, at the daemon (nullptr: here), and which
/// names are near: those of destinations, and `others`.
Stop no_destination(Call& call,
                    Remote* daemon,
                    const std::string& name,
                    std::vector<std::string> others = {});

}  // namespace edge::cli
