// SPDX-License-Identifier: MIT
// One namespace of the key-value store, of a daemon or of the local store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/call.h"
#include "core/base/result.h"
#include "core/kv/bulk.h"
#include "core/kv/kv.h"

namespace edge::cli::commands {

/// One thread only.
class KvStore {
 public:
  KvStore() = default;
  KvStore(const KvStore&) = delete;
  KvStore& operator=(const KvStore&) = delete;
  KvStore(KvStore&&) = delete;
  KvStore& operator=(KvStore&&) = delete;
  virtual ~KvStore() = default;

  /// Nothing when the key is absent.
  virtual Result<std::optional<std::string>> value(const std::string& key) = 0;
  virtual Result<kv::Listing> list(const kv::ListQuery& query) = 0;
  /// All or nothing.
  virtual Result<void> write(const std::vector<kv::BulkEntry>& entries) = 0;
  virtual Result<void> erase(const std::vector<std::string>& keys) = 0;
};

/// The namespace that `--ns` names by title or id. With `--create` (where a command has it, and
/// `access` is Write) a missing one is made. Failure: NotFound naming it.
Result<std::unique_ptr<KvStore>> open_kv(Call& call, Call::Access access, bool create);

}  // namespace edge::cli::commands
