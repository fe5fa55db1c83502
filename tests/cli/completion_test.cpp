// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/support/process.h"

using edge::test::Finished;
using edge::test::RunOptions;
using edge::test::Sandbox;

namespace {

bool is_there(const Sandbox& sandbox, const std::string& program) {
  return sandbox.run({"sh", "-c", "command -v " + program}).exit == 0;
}

}  // namespace

TEST_CASE("the hidden completer answers words, flags, values and a mode", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml",
                "[env.staging.auth]\nmode = \"demo\"\n[[destinations]]\nname = \"hook\"\n");
  const auto answer = [&sandbox](std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--"});
    return sandbox.edgectl(words).out;
  };

  CHECK(answer({"config", "pa"}).find("path\tPrint which configuration file is used\n") !=
        std::string::npos);
  CHECK(answer({"comp"}).find("completion\t") != std::string::npos);
  CHECK(answer({"config", "show", "--o"}).find("--origin\t") != std::string::npos);
  CHECK(answer({"--format", ""}).find("jsonl\t") != std::string::npos);
  CHECK(answer({"--env", ""}).find("staging\t") != std::string::npos);
  CHECK(answer({"completion", ""}).find("zsh\t") != std::string::npos);
  CHECK(answer({"config", "validate", ""}).find(":files\n") != std::string::npos);
  CHECK(answer({"version", ""}) == ":none\n");
  CHECK(answer({"no", "such", "thing"}).find(":none\n") != std::string::npos);
}

TEST_CASE("the hidden completer is silent about a broken configuration", "[cli]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", "[[[");

  const Finished answer = sandbox.edgectl({"__complete", "--", "--env", ""});

  CHECK(answer.exit == 0);
  CHECK(answer.err.empty());
}

TEST_CASE("the bash completion offers what fits and passes shellcheck", "[cli]") {
  const Sandbox sandbox;
  const std::string script =
      sandbox.write("edgectl.bash", sandbox.edgectl({"completion", "bash"}).out);

  const Finished offered = sandbox.run({"bash",
                                        "-c",
                                        "source " + script +
                                            "; COMP_WORDS=(edgectl config s); COMP_CWORD=2; "
                                            "_edgectl; printf '%s\\n' \"${COMPREPLY[@]}\""});

  CHECK(offered.out == "show\nset\n");
  if (is_there(sandbox, "shellcheck")) {
    CHECK(sandbox.run({"shellcheck", "-s", "bash", script}).out.empty());
  }
}

TEST_CASE("the fish and zsh completions are sound", "[cli]") {
  const Sandbox sandbox;
  if (is_there(sandbox, "fish")) {
    const std::string script =
        sandbox.write("edgectl.fish", sandbox.edgectl({"completion", "fish"}).out);
    const Finished offered =
        sandbox.run({"fish", "-c", "source " + script + "; complete -C 'edgectl config va'"});
    CHECK(offered.out == "validate\tCheck a configuration and what it points at\n");
  }
  if (is_there(sandbox, "zsh")) {
    const std::string script =
        sandbox.write("_edgectl", sandbox.edgectl({"completion", "zsh"}).out);
    CHECK(sandbox.run({"zsh", "-n", script}).exit == 0);
  }
}
