// SPDX-License-Identifier: MIT
// Named state: JSON values under keys of namespaces, with versions (platform spec 4.1).
//
// A namespace is one part of the store, where commits are serialisable: an operation reads, decides
// and commits on the condition that what it read is still so, and begins anew when it is not. So
// all operations of a namespace have the effect of happening one after the other, those of
// different namespaces do not meet, and the versions are the store's own, which only rise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/storage.h"

namespace edge::state {

inline constexpr std::size_t kMaxKeyBytes = 2'048;
inline constexpr std::size_t kMaxEntryBytes = 2'000'000;  ///< key and value together
inline constexpr std::size_t kMaxOperations = 128;
inline constexpr std::size_t kMaxListed = 1'000;
inline constexpr std::int64_t kMaxInteger = std::int64_t{1} << 53U;

struct StateEntry {
  std::string key = {};
  std::string value = {};  ///< JSON text
  std::uint64_t version = 0;
  std::int64_t expires = 0;  ///< ms since 1970, 0 = never

  bool operator==(const StateEntry&) const = default;
};

/// `{"key","value","version","expiresAt"?}`
std::string json_of(const StateEntry& entry);

/// One step of a transaction.
struct Operation {
  enum class Kind : std::uint8_t { Check, Put, Delete, Increment };
  Kind kind = Kind::Check;
  std::string key = {};
  std::uint64_t version = 0;  ///< Check: what it must be before the transaction, 0 = absent
  std::string value = {};     ///< Put: JSON text
  std::int64_t by = 1;        ///< Increment
  std::int64_t initial = 0;   ///< Increment: what an absent key counts from
  std::optional<std::int64_t> ttl = {};  ///< seconds
};

/// What an operation left behind.
struct Outcome {
  std::string key = {};
  std::uint64_t version = 0;  ///< 0: absent
  std::string value = {};     ///< of an increment
};

/// A version that is not what the caller said.
struct Mismatch {
  std::size_t failed = 0;  ///< index of the operation
  std::uint64_t version = 0;
};

/// Either what all operations left behind, or the first check that failed.
struct Applied {
  std::vector<Outcome> outcomes = {};
  std::optional<Mismatch> mismatch = {};
};

struct StateQuery {
  std::string prefix = {};
  std::string start = {};        ///< included
  std::string start_after = {};  ///< not included
  std::string end = {};          ///< not included; empty: no bound
  bool reverse = false;          ///< the other order, the same bounds
  std::size_t limit = 100;       ///< 1 to 1,000
  std::string cursor = {};       ///< of the page before
};

struct StatePage {
  std::vector<StateEntry> entries = {};
  std::string cursor = {};  ///< empty when there are no more
};

/// Thread-safe, without state of its own; every call waits for the store and must not be made on an
/// event loop. Borrows store and clock for life.
///
/// Failures: InvalidArgument with reasons `bad_namespace`, `bad_key`, `bad_value`, `bad_ttl`,
/// `not_an_integer`, `bad_cursor`, `too_many_operations`; TooLarge, reason `value_too_large`;
/// Unavailable when others change the namespace all the time; those of the store.
class NamedState {
 public:
  NamedState(storage::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Nothing when the key is absent.
  [[nodiscard]] Result<std::optional<StateEntry>> read(const std::string& space,
                                                       const std::string& key) const;
  [[nodiscard]] Result<StatePage> list(const std::string& space, const StateQuery& query) const;
  /// All or nothing, in their order. Checks look at what was there before the first of them.
  Result<Applied> apply(const std::string& space, const std::vector<Operation>& operations);
  /// One operation, which takes place only when its key has that version (0 = absent), where one is
  /// given. Fields of errors name members of the operation.
  Result<Applied> change(const std::string& space,
                         std::optional<std::uint64_t> if_version,
                         Operation operation);
  /// Removes the key, on the same condition. No outcome when it was absent already.
  Result<Applied> erase(const std::string& space,
                        const std::string& key,
                        std::optional<std::uint64_t> if_version);
  /// Gives the key a new time to live and keeps its value. Nothing when it is absent.
  Result<std::optional<Outcome>> touch(const std::string& space,
                                       const std::string& key,
                                       std::int64_t ttl);

 private:
  struct Draft;
  Result<std::optional<Applied>> attempt(const std::string& space,
                                         const std::vector<Operation>& operations);
  [[nodiscard]] Result<std::int64_t> expires_of(std::optional<std::int64_t> ttl) const;
  Result<void> perform(const Operation& operation, Draft& draft) const;

  storage::Store& store_;
  const Clock& clock_;
};

}  // namespace edge::state
