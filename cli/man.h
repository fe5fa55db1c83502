// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace edge::cli {

struct ManPage {
  std::string file;  ///< `edgectl-config.1`
  std::string text;  ///< mdoc
};

/// edgectl(1), which holds the one-word commands, one page of section 1 per noun, and edge.toml(5).
std::vector<ManPage> man_pages(const Tree& tree);

}  // namespace edge::cli
