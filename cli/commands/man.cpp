// SPDX-License-Identifier: MIT
// Writes the man pages that follow from tables into a directory; .ci/generate keeps man/ fresh with
// it.
#include "cli/man.h"

namespace edge::cli::commands {

void man(Tree& tree) {
  tree.command("__man", "Write the man pages")
      .in(Section::Setup)
      .positional({.name = "DIRECTORY", .help = "where", .required = true})
      .example("__man man", "into ./man")
      .hide()
      .runs([](Call& call) -> Result<int> {
        for (const ManPage& page : man_pages(call.tree())) {
          Output file(-1, call["DIRECTORY"] + "/" + page.file);
          file.write(page.text);
          file.commit();
        }
        return exit_code::kDone;
      });
}

}  // namespace edge::cli::commands
