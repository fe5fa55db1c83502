// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "daemon/http/address.h"

namespace edge::http {

/// Counts connections per client address (IPv6 by /64). Loopback is not counted. Thread-safe.
class Admission {
 public:
  explicit Admission(std::size_t per_address) : per_address_(per_address) {}

  /// False when this address has its full number already.
  bool enter(const Address& peer) {
    if (peer.is_loopback()) {
      return true;
    }
    const std::lock_guard lock(mutex_);
    std::size_t& count = counts_[peer.limit_key()];
    if (count >= per_address_) {
      return false;
    }
    ++count;
    return true;
  }
  void leave(const Address& peer) {
    if (peer.is_loopback()) {
      return;
    }
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(peer.limit_key());
    if (found != counts_.end() && --found->second == 0) {
      counts_.erase(found);
    }
  }

 private:
  const std::size_t per_address_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;  // guarded by mutex_
};

}  // namespace edge::http
