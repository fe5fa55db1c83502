// SPDX-License-Identifier: MIT
// The key-value store (platform spec 1).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/kv/big_values.h"
#include "core/kv/entry.h"
#include "core/kv/namespaces.h"
#include "core/storage/storage.h"

namespace edge::kv {

/// Keys of a namespace in order of their octets.
struct Listing {
  struct Key {
    std::string name = {};
    std::int64_t expires = 0;   ///< ms since 1970, 0 = never
    std::string metadata = {};  ///< compact JSON text, empty = none
    std::uint64_t bytes = 0;    ///< of the value
  };
  std::vector<Key> keys = {};
  std::string cursor = {};  ///< opaque; empty when there are no more
};

struct ListQuery {
  std::string prefix = {};
  std::string cursor = {};  ///< of the listing before; goes on behind its last key
  std::size_t limit = kMaxPageKeys;
};

/// The cursor of a listing that ends with this key.
std::string cursor_behind(std::string_view key);

/// Called once; on a thread of the store or inside the call. It must be quick and must not call
/// this class.
using Done = std::function<void(Result<void>)>;

/// Entries by namespace id and key. Thread-safe. Every call waits for the store and must not be
/// made on an event loop. An entry is absent from the moment of its expiry, by the clock of the
/// store.
///
/// Failures: NotFound, reason `namespace_not_found` or `key_not_found`; those of the functions in
/// entry.h; those of the store.
class Kv {
 public:
  Kv(storage::Store& store, Random& random, std::vector<Namespace> builtin);

  [[nodiscard]] Result<Entry> read(const std::string& space, const std::string& key) const;
  /// The same without its value.
  [[nodiscard]] Result<Entry> describe(const std::string& space, const std::string& key) const;
  /// Those of several keys, absent ones empty. TooLarge, reason `value_too_large`, when the values
  /// have more than 25 MiB together; InvalidArgument, reason `too_many_keys`, above 100 keys.
  [[nodiscard]] Result<std::vector<std::optional<Entry>>> read(
      const std::string& space, const std::vector<std::string>& keys) const;
  /// InvalidArgument, reason `bad_cursor`.
  [[nodiscard]] Result<Listing> list(const std::string& space, const ListQuery& query) const;

  /// Writes all or nothing; of equal keys the last wins. `done` gets the outcome once it is
  /// durable. Reason `too_many_keys` above 10,000.
  void write(const std::string& space, std::vector<Write> writes, const Done& done);
  /// Removes all; absent keys are no error.
  void erase(const std::string& space, const std::vector<std::string>& keys, const Done& done);
  /// As above; wait for the outcome.
  Result<void> write(const std::string& space, std::vector<Write> writes);
  Result<void> erase(const std::string& space, const std::vector<std::string>& keys);

  /// Removes what is left of deleted namespaces and of replaced big values, in bounded steps. How
  /// many entries and values. (Expired entries are removed by the store.)
  Result<std::size_t> sweep();

  Namespaces namespaces;

 private:
  [[nodiscard]] Result<std::optional<Entry>> look(const std::string& space,
                                                  const std::string& key) const;
  Result<void> replace_old(const std::string& space,
                           const std::vector<Write>& writes,
                           storage::Batch& batch) const;
  Result<std::shared_ptr<const BigValues::Staged>> fill(const std::string& space,
                                                        std::vector<Write>& writes,
                                                        storage::Batch& batch);

  storage::Store& store_;
  BigValues big_values_;
};

}  // namespace edge::kv
