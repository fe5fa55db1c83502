// SPDX-License-Identifier: MIT
// One run of every command, for the test of what commands print with --json. A command that is not
// here fails that test.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace edge::test {

/// What a command prints on stdout with `--json`.
enum class Prints : std::uint8_t {
  Document,  ///< `{"schema":"edge.NAME/1",…}`, right by what `edgectl schema NAME` prints
  Product,   ///< the data that is its purpose, the same in every format (cli spec 7)
  Nothing,
};

struct OutputStep {
  std::string command = {};
  std::vector<std::string> arguments = {};  ///< `{NAME}` stands for something remembered
  Prints prints = Prints::Document;
  std::string input = {};                                      ///< stdin
  std::vector<std::pair<std::string, std::string>> take = {};  ///< remember NAME from a pointer
  int exit = 0;
};

/// Steps in one sandbox, in order. `{URL}` is a receiver that answers 200, 400 below `/bad`, and
/// gives a datafile at `/key.json`;
/// `{FLAGS}` and `{EXPECT}` are files of cli/examples.
struct OutputStory {
  std::string name = {};
  std::string config = {};                                      ///< edge.toml
  std::vector<std::pair<std::string, std::string>> files = {};  ///< name, content; mode 0600
  std::vector<OutputStep> steps = {};
};

std::vector<OutputStory> output_stories();

}  // namespace edge::test
