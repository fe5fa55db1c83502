// SPDX-License-Identifier: MIT
// Files that hold secrets: key rings, passwords, the secret store (identity spec 5.2).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "core/base/result.h"
#include "core/crypto/secret.h"

namespace edge::config {

struct PrivateFileRules {
  bool allow_insecure_permissions = false;  ///< for containers; the caller warns
  /// For files of systemd's credentials directory, where the bits of the group are the mask of an
  /// access list that names the service alone.
  bool group_may_read = false;
  std::size_t max_bytes = std::size_t{1} << 20U;
};

/// Reads a file that only its owner may read: regular, owned by this user or root, no permission
/// bits for group and others, never through a symbolic link.
///
/// Failure: NotFound when it is not there; InvalidArgument with reason `insecure_permissions`,
/// `insecure_owner`, `not_a_file` and a message that says what to do; TooLarge; PermissionDenied
/// when the system refuses.
Result<crypto::Secret> read_private_file(const std::filesystem::path& path,
                                         const PrivateFileRules& rules = {});

/// Writes `octets` with mode 0600 under a temporary name in the same directory, syncs, and renames
/// over `path`: after a crash there is the old file or the new one. Missing directories are made
/// with mode 0700.
///
/// Failure: PermissionDenied or Unavailable (disk full); the old file is then untouched.
Result<void> write_private_file(const std::filesystem::path& path, std::string_view octets);

}  // namespace edge::config
