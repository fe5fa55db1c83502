// SPDX-License-Identifier: MIT
// The sessions of `edgectl auth login`, one per daemon: `auth.json` in the state directory, mode
// 0600. A token goes to the daemon that gave it and nowhere else.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/transport/http_client.h"

namespace edge::cli {

struct SavedLogin {
  std::string url = {};  ///< of the daemon, no slash at the end
  std::string email = {};
  std::string access_token = {};
  std::string refresh_token = {};
  Time expires = {};  ///< of the access token
};

/// `$XDG_STATE_HOME/edgectl/auth.json`.
std::filesystem::path saved_logins_path();

/// Failure: those of `config::read_private_file` (a file that others can read), InvalidArgument for
/// one that is not ours.
Result<std::optional<SavedLogin>> find_login(std::string_view url);
Result<void> save_login(const SavedLogin& login);
/// False when there was none.
Result<bool> forget_login(std::string_view url);

/// The answer of `/auth/login` or `/auth/refresh` as a saved login.
/// Failure: Internal when it is none.
Result<SavedLogin> read_login(std::string_view url, std::string_view body, Time now);

/// An access token of the saved login that is good for a while longer: refreshed and saved when it
/// is about to expire, by one process at a time. Nothing without a saved login.
/// Failure: Unauthenticated when the session has ended (it is then forgotten); others when the
/// daemon cannot be asked.
Result<std::optional<std::string>> login_token(std::string_view url,
                                               transport::HttpClient& client,
                                               const Clock& clock);

}  // namespace edge::cli
