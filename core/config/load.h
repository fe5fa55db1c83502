// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/config/secrets.h"

namespace edge::config {

/// What decides which settings hold. Precedence: flag > environment > `[env.NAME]` > file > default
/// (cli spec 6).
struct Sources {
  std::string file = {};      ///< `--config`: a path, `none` for defaults only, empty to search
  std::string overlay = {};   ///< `--env`
  std::string data_dir = {};  ///< `--data-dir`
  std::vector<std::pair<std::string, std::string>> flags =
      {};  ///< key and text, `{"server.listen","127.0.0.1:0"}`
  Environment environment = process_environment();
  std::filesystem::path working_directory = std::filesystem::current_path();
};

/// Where a value came from.
struct Origin {
  enum class From : std::uint8_t { Default, File, Overlay, Variable, Flag };
  From from = From::Default;
  std::string where = {};  ///< `edge.toml:3`, `EDGE_SERVER_LISTEN`, `--listen`; empty for defaults

  /// `default`, `file edge.toml:3`, `variable EDGE_SERVER_LISTEN`.
  [[nodiscard]] std::string text() const;
};

struct Loaded {
  Config config = {};
  std::map<std::string, Origin, std::less<>> origins = {};  ///< of every key
  std::vector<std::string> overlays = {};  ///< names of the file's `[env.NAME]` tables
};

/// The configuration file: `--config`, EDGE_CONFIG, `edge.toml` here or in a parent up to the one
/// that holds `.git`,
/// `$XDG_CONFIG_HOME/edgectl/`, `/etc/edgectl/`. The first found is used alone. Empty when there is
/// none.
std::filesystem::path find_file(const Sources& sources);
/// `--data-dir`, EDGE_DATA_DIR, `$XDG_DATA_HOME/edgectl`, `~/.local/share/edgectl`. Absolute.
std::filesystem::path find_data_dir(const Sources& sources);

/// Reads and checks everything. Failures are InvalidArgument: the file cannot be read, is no
/// TOML 1.0, has an unknown key (with `file:line:column` and the nearest known one), a value of the
/// wrong type, or lacks the overlay asked for.
Result<Loaded> load(const Sources& sources);

/// Text of a new `edge.toml`: every key with its help and default, and a commented sample of each
/// list.
std::string sample_file();

/// The text of a file with one key set, everything else untouched. Failure: InvalidArgument for an
/// unknown key, a value that does not fit, or a text that is no TOML.
Result<std::string> with_key(std::string_view text,
                             const std::string& name,
                             std::string_view value);

}  // namespace edge::config
