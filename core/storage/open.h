// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::storage {

/// What "durable" means (platform spec 0.5): `Full`: flushed before the receipt. `Normal`: survives
/// the death of the process; a power cut may take the last second.
enum class Durability : std::uint8_t { Full, Normal };

struct Options {
  Durability durability = Durability::Full;
  bool read_only =
      false;  ///< for readers beside the process that holds the lock; writes are `bad_request`
  std::uint64_t roll_bytes = std::uint64_t{256}
                             << 20U;  ///< a volume of the log is closed at this size …
  std::chrono::milliseconds roll_after = std::chrono::hours{1};  ///< … or age, when it has content
  /// How long the ids of `Append::unique` are known. The parts of the log that are as young are
  /// looked through as a whole: up to `roll_after` longer.
  std::chrono::milliseconds dedupe_window = std::chrono::hours{24};
};

/// Opens the store that `url` names: `sqlite:DIRECTORY`, or a directory without a scheme. The
/// directory is made when it is not there (not for read-only). `clock` and `random` must outlive
/// the store.
///
/// Errors: `bad_request` for an unknown scheme, `unavailable` when another process holds the store
/// (the message names its pid), `corrupt` when a check fails, `failed` for a directory or file that
/// cannot be used, `newer_format`.
Result<std::unique_ptr<Store>> open(const std::string& url,
                                    const Options& options,
                                    const Clock& clock,
                                    Random& random);

}  // namespace edge::storage
