// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "core/base/result.h"
#include "core/config/secrets.h"
#include "core/pixels/key_ring.h"

namespace edge::pixels {

/// `keys/pixel.json` of a data directory.
std::filesystem::path ring_path(const std::filesystem::path& data_dir);

/// Reads a key ring file (mode 0600, identity spec 5.2). Failures: NotFound with a message that
/// names the command that makes one, InvalidArgument for permissions or content.
Result<KeyRing> load_ring(const std::filesystem::path& file,
                          const config::PrivateFileRules& rules = {});

/// Writes it: temporary name, 0600, sync, rename.
Result<void> save_ring(const std::filesystem::path& file, const KeyRing& ring);

/// The ring to use: `flag_file` when given, else the secret EDGE_PIXEL_KEYS, else the data
/// directory's. Files are judged by the rules of `secrets`.
Result<KeyRing> configured_ring(const config::Secrets& secrets,
                                const std::filesystem::path& data_dir,
                                const std::filesystem::path& flag_file = {});

}  // namespace edge::pixels
