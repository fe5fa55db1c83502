// SPDX-License-Identifier: MIT
// One namespace of named state, of a daemon or of the local store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/call.h"
#include "cli/paging.h"
#include "core/base/result.h"
#include "core/state/named_state.h"

namespace edge::cli::commands {

/// One thread only. Failure: Conflict when a version is not the one that was given.
class StateStore {
 public:
  StateStore() = default;
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;
  StateStore(StateStore&&) = delete;
  StateStore& operator=(StateStore&&) = delete;
  virtual ~StateStore() = default;

  /// The entry as JSON, `{"key","value","version","expiresAt"?}`; nothing when the key is absent.
  virtual Result<std::optional<std::string>> entry(const std::string& key) = 0;
  /// Entries as `entry` gives them.
  virtual Result<RecordPage> list(const state::StateQuery& query) = 0;
  /// The new version. `if_version`: 0 = the key must be absent.
  virtual Result<std::uint64_t> put(const std::string& key,
                                    const std::string& value,
                                    std::optional<std::int64_t> ttl,
                                    std::optional<std::uint64_t> if_version) = 0;
  /// Whether it was there.
  virtual Result<bool> erase(const std::string& key, std::optional<std::uint64_t> if_version) = 0;
};

/// The namespace NAMESPACE of the call.
std::unique_ptr<StateStore> open_state(Call& call, Call::Access access);

}  // namespace edge::cli::commands
