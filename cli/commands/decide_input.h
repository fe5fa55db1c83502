// SPDX-License-Identifier: MIT
// What `edgectl decide` is asked: its arguments as one record, in the form that batches and the
// route `/api/decide` take too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/command.h"
#include "core/flags/expectation.h"
#include "core/json/document.h"

namespace edge::cli::commands {

/// The options that describe a user and bend decisions.
Command& with_user_options(Command& command);

/// `--attrs`, `--attr` and `--bucketing-id` as one JSON object text; later ones win.
Result<std::string> attributes_of(Call& call);

/// `--ups FILE`: stored profiles `{USER:{"user_id","experiment_bucket_map"}}`; a file that is not
/// there holds none. One thread only.
class ProfileFile {
 public:
  static Result<ProfileFile> open(const Call& call);
  /// The bucket map of the user as JSON; nothing without `--ups`.
  [[nodiscard]] std::optional<std::string> map_of(std::string_view user) const;
  /// Writes the file anew with this bucket map, all or nothing.
  [[nodiscard]] Result<void> save(std::string_view user, std::string_view bucket_map) const;

 private:
  std::string path_;
  std::unique_ptr<json::Document> profiles_;
};

/// The arguments, read and checked.
struct Question {
  std::string record = {};             ///< JSON; never asks to leave out flags that are off
  std::vector<std::string> keys = {};  ///< flags named, in expectations too, each once
  bool enabled_only = false;  ///< leave out flags that are off, unless a single one is asked
  std::vector<flags::Expectation> expectations = {};
  ProfileFile profiles = {};
};

/// Failure: usage, or InvalidArgument when attributes or profiles cannot be read.
Result<Question> question_of(Call& call);

}  // namespace edge::cli::commands
