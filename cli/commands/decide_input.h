// SPDX-License-Identifier: MIT
// What `edgectl decide` reads: the datafile, the user, the settings that bend decisions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/command.h"
#include "core/flags/datafile.h"
#include "core/flags/decide.h"
#include "core/flags/expectation.h"
#include "core/json/document.h"

namespace edge::cli::commands {

struct DatafileSource {
  std::shared_ptr<const flags::Datafile> datafile = {};
  std::string kind = {};  ///< `file` or `stdin`
  std::string from = {};  ///< path, or `-`
};

/// The options that choose what is decided on.
Command& with_datafile_option(Command& command);
/// The options that describe the user and bend the decision.
Command& with_user_options(Command& command);

/// `--datafile`, else the configured one. Failure: InvalidArgument (exit 3) when it cannot be read
/// or used.
Result<DatafileSource> datafile_of(Call& call);

/// `--attrs`, `--attr` and `--bucketing-id` as one JSON object text; later ones win.
Result<std::string> attributes_of(Call& call);

Result<flags::Options> options_of(Call& call);

/// A `--force FLAG[/RULE]=VARIATION`.
struct Force {
  std::string flag = {};
  std::optional<std::string> rule = {};
  std::string variation = {};
};
Result<std::vector<Force>> forces_of(Call& call);

Result<std::vector<flags::Expectation>> expectations_of(Call& call);

/// `--ups FILE`: stored profiles `{USER:{"user_id","experiment_bucket_map"}}`; a file that is not
/// there holds none. One thread only.
class ProfileFile {
 public:
  static Result<ProfileFile> open(const Call& call);
  /// The bucket map of the user; nothing without `--ups`. Views live as long as this object.
  [[nodiscard]] std::optional<flags::StickyMap> map_of(std::string_view user) const;
  /// Writes the file anew with this bucket map, all or nothing.
  [[nodiscard]] Result<void> save(std::string_view user, std::string_view bucket_map) const;

 private:
  std::string path_;
  std::unique_ptr<json::Document> profiles_;
};

}  // namespace edge::cli::commands
