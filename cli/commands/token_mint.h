// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "cli/command.h"

namespace edge::cli::commands {

/// Declares `token mint`.
void token_mint(Tree& tree);

/// Of a token made or looked at, `token`.
inline constexpr std::string_view kTokenSchema =
    R"({"type":"object","required":["schema","header","claims"],"properties":{)"
    R"("schema":{"const":"edge.token/1"},"token":{"type":"string"},)"
    R"("header":{"type":"object"},"claims":{"type":"object"}}})";

}  // namespace edge::cli::commands
