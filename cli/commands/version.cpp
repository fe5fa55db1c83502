// SPDX-License-Identifier: MIT
#include "cli/command.h"

namespace edge::cli::commands {

void version(Tree& tree) {
  tree.command("version", "Name and version")
      .in(Section::Setup)
      .example("version", "as text")
      .example("version --json", "for a script")
      .output("version",
              R"({"type":"object","required":["schema","version"],"properties":{)"
              R"("schema":{"const":"edge.version/1"},"version":{"type":"string"}}})")
      .runs([](Call& call) -> Result<int> {
        return call.print(
            Document{.json = R"({"schema":"edge.version/1","version":")" EDGE_VERSION R"("})",
                     .human = "edgectl " EDGE_VERSION "\n"});
      });
}

}  // namespace edge::cli::commands
