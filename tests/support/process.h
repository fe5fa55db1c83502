// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/fakes.h"

namespace edge::test {

/// How a program ended and what it said.
struct Finished {
  int exit = -1;  ///< as a shell shows it: 128 + signal when it was killed
  std::string out = {};
  std::string err = {};
};

struct RunOptions {
  std::map<std::string, std::string> env = {};  ///< added to the sandbox's
  std::string input = {};                       ///< stdin
  std::string directory = {};                   ///< working directory; default: the sandbox
  bool stdout_closed = false;
  bool reader_gone = false;  ///< stdout is a pipe that nobody reads
};

/// A home of its own for programs under test: HOME, the XDG directories and the working directory
/// are below a temporary directory, no variable of the caller but PATH and the sanitizers' gets in.
/// One thread only.
class Sandbox {
 public:
  Sandbox();

  /// `edgectl ARGUMENTS`, waited for (at most a minute).
  Finished edgectl(const std::vector<std::string>& arguments, const RunOptions& options = {}) const;
  /// Any program by path or name.
  Finished run(const std::vector<std::string>& command, const RunOptions& options = {}) const;

  /// A file below the sandbox, its directories made; gives its path.
  std::string write(const std::string& name, const std::string& content) const;
  /// Its content; empty when it is not there.
  [[nodiscard]] std::string read(const std::string& name) const;
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::map<std::string, std::string> environment() const;

 private:
  TempDir directory_;
};

/// The folder of the built programs (EDGE_BIN_DIR) and of the sources (EDGE_SOURCE_DIR).
std::string bin_dir();
std::string source_dir();

}  // namespace edge::test
