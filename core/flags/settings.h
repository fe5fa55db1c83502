// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/config/secrets.h"

namespace edge::flags {

/// Where the datafile of one SDK key comes from.
struct ProjectSettings {
  std::string sdk_key = {};  ///< empty: a file that no key names
  std::string place = {};    ///< path or URL
  bool is_url = false;
  bool may_be_missing = false;  ///< a file that need not be there
};

/// Who may say that the datafiles of a project changed (`[[flags.webhooks]]`).
struct WebhookSettings {
  std::int64_t project = 0;  ///< Optimizely's project id
  std::string secret = {};   ///< name of the secret that signs; empty: nothing is signed
  std::vector<std::string> sdk_keys = {};  ///< empty: all whose datafile is of that project
};

struct Settings {
  std::vector<ProjectSettings> projects = {};  ///< the first is the default; never empty
  bool any_key = true;                         ///< SDK keys that nobody configured get the default
  std::chrono::milliseconds interval = std::chrono::minutes(1);  ///< between fetches
  std::filesystem::path cache = {};  ///< folder for what was fetched; empty: nothing is kept
  std::vector<WebhookSettings> webhooks = {};
};

/// Reads `[flags]`. The default project is `flags.datafile`; when that is not set and there is an
/// SDK key (`flags.sdk_key`, else the secret OPTIMIZELY_SDK_KEY), the datafile that `flags.url`
/// gives for it.
///
/// Failure: InvalidArgument with the key in `field`.
Result<Settings> read_settings(const config::Config& config, const config::Secrets& secrets);

/// Whether a text may be an SDK key: letters, digits, `+`, `/`, `=`, `_`.
bool is_sdk_key(std::string_view text);

}  // namespace edge::flags
