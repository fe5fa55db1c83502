// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"

namespace edge {

/// `$XDG_RUNTIME_DIR/edgectl`, else `/tmp/edgectl-UID`.
std::filesystem::path runtime_dir();

/// `edl_` and 32 random octets in base64url: who can read it can read the database too (identity
/// spec 3.6).
std::string make_local_key(Random& random);

/// What a running daemon leaves for the command line to find it: `edged.json` and `edged.key` (cli
/// spec 3), and a pid file if asked for. Removed by the destructor.
class RuntimeFiles {
 public:
  struct Content {
    std::string url = {};
    std::string local_key = {};
    Time started = {};
    std::filesystem::path pid_file = {};  ///< empty: none
  };

  /// Makes the directory with mode 0700. Failure: PermissionDenied (reason `insecure_directory`)
  /// when it belongs to somebody else or others may enter; those of `config::write_private_file`.
  static Result<RuntimeFiles> write(const std::filesystem::path& directory, const Content& content);

  RuntimeFiles(RuntimeFiles&& other) noexcept = default;
  RuntimeFiles& operator=(RuntimeFiles&&) = delete;
  RuntimeFiles(const RuntimeFiles&) = delete;
  RuntimeFiles& operator=(const RuntimeFiles&) = delete;
  ~RuntimeFiles();

 private:
  explicit RuntimeFiles(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}
  std::vector<std::filesystem::path> files_;
};

}  // namespace edge
