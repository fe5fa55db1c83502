// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/http/address.h"

namespace edge::http {

/// Counts connections per client address (IPv6 by /64). Loopback and `exempt` networks (trusted
/// proxies) are not counted. Thread-safe.
class Admission {
 public:
  Admission(std::size_t per_address, const std::vector<Network>& exempt)
      : per_address_(per_address), exempt_(exempt) {}

  /// False when this address has its full number already.
  bool enter(const Address& peer) {
    if (is_exempt(peer)) {
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
    if (is_exempt(peer)) {
      return;
    }
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(peer.limit_key());
    if (found != counts_.end() && --found->second == 0) {
      counts_.erase(found);
    }
  }

 private:
  [[nodiscard]] bool is_exempt(const Address& peer) const {
    return peer.is_loopback() || std::ranges::any_of(exempt_, [&](const Network& network) {
             return network.holds(peer);
           });
  }

  const std::size_t per_address_;
  const std::vector<Network> exempt_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> counts_;  // guarded by mutex_
};

}  // namespace edge::http
