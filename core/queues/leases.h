// SPDX-License-Identifier: MIT
// Ids of leases: opaque to clients, and all that is needed to find the message again, so that there
// is no table of them. Signed with a key of the installation (HMAC-SHA-256, 16 octets of it) over
// the due queue and the state of the item, so that nobody makes one up.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/crypto/hmac_sha256.h"
#include "core/storage/storage.h"

namespace edge::queues {

/// The state of an item of a due queue.
struct Lease {
  enum class Kind : std::uint8_t {
    Taken = 1,  ///< a delivery; may be acknowledged
    Seen = 2,   ///< only looked at; may be purged
  };
  Kind kind = Kind::Taken;
  std::int64_t at = 0;  ///< ms, store time: the end of the lease
  std::uint64_t number = 0;
  std::uint64_t lease = 0;
  std::uint32_t tries = 0;  ///< the number of the delivery

  bool operator==(const Lease&) const = default;
};

/// Immutable. Thread-safe.
class LeaseSigner {
 public:
  explicit LeaseSigner(std::string_view key) : hmac_(key) {}

  [[nodiscard]] std::string sign(const std::string& due_queue, const Lease& lease) const;
  /// Nothing when it was not signed for this due queue.
  [[nodiscard]] std::optional<Lease> open(const std::string& due_queue, std::string_view id) const;

 private:
  [[nodiscard]] std::string seal(const std::string& due_queue, std::string_view state) const;

  crypto::HmacSha256 hmac_;
};

/// The signer of an installation; its key is made when it is needed first and kept in the store.
/// Thread-safe.
class LeaseKey {
 public:
  LeaseKey(storage::Store& store, Random& random) : store_(store), random_(random) {}

  /// Waits for the store at the first call. Failure: of the store.
  Result<const LeaseSigner*> signer();

 private:
  Result<std::string> stored_key();

  storage::Store& store_;
  Random& random_;
  std::mutex mutex_;
  std::optional<LeaseSigner> signer_;  // guarded by mutex_ until set, then immutable
};

}  // namespace edge::queues
