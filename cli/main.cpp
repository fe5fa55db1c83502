// SPDX-License-Identifier: MIT
#include "cli/frame.h"

int main(int argc, char** argv) {
  edge::cli::Tree tree;
  edge::cli::commands::register_all(tree);
  return edge::cli::run(tree, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
