// SPDX-License-Identifier: MIT
#include "core/queues/leases.h"

#include <array>
#include <chrono>
#include <utility>

#include "core/crypto/digest.h"
#include "core/encoding/base64.h"
#include "core/queues/records.h"

namespace edge::queues {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kStateOctets = 1 + 8 + 8 + 8 + 4;
constexpr std::size_t kTagOctets = 16;

void append(std::string& out, std::uint64_t number, unsigned octets) {
  for (unsigned i = octets; i > 0; --i) {
    out.push_back(static_cast<char>(number >> 8 * (i - 1) & 0xFFU));
  }
}

std::uint64_t read(std::string_view& text, std::size_t octets) {
  std::uint64_t number = 0;
  for (const char c : text.substr(0, octets)) {
    number = number << 8U | static_cast<std::uint8_t>(c);
  }
  text.remove_prefix(octets);
  return number;
}

}  // namespace

std::string LeaseSigner::seal(const std::string& due_queue, std::string_view state) const {
  // The state has one length, so that no queue and state can be read as another pair.
  const auto tag = hmac_.tag(std::string(state) + due_queue);
  return {reinterpret_cast<const char*>(tag.data()), kTagOctets};
}

std::string LeaseSigner::sign(const std::string& due_queue, const Lease& lease) const {
  std::string state;
  append(state, static_cast<std::uint64_t>(lease.kind), 1);
  append(state, static_cast<std::uint64_t>(lease.at), 8);
  append(state, lease.number, 8);
  append(state, lease.lease, 8);
  append(state, lease.tries, 4);
  return encoding::base64url_encode(state + seal(due_queue, state));
}

std::optional<Lease> LeaseSigner::open(const std::string& due_queue, std::string_view id) const {
  const auto octets = encoding::base64url_decode(id);
  if (!octets || octets->size() != kStateOctets + kTagOctets) {
    return std::nullopt;
  }
  std::string_view state = std::string_view(*octets).substr(0, kStateOctets);
  if (!crypto::constant_time_equal(seal(due_queue, state),
                                   std::string_view(*octets).substr(kStateOctets))) {
    return std::nullopt;
  }
  Lease lease;
  lease.kind = static_cast<Lease::Kind>(read(state, 1));
  lease.at = static_cast<std::int64_t>(read(state, 8));
  lease.number = read(state, 8);
  lease.lease = read(state, 8);
  lease.tries = static_cast<std::uint32_t>(read(state, 4));
  return lease;
}

Result<const LeaseSigner*> LeaseKey::signer() {
  {
    const std::lock_guard lock(mutex_);
    if (signer_) {
      return &*signer_;
    }
  }
  auto key = stored_key();
  if (!key) {
    return Failure(std::move(key.error()));
  }
  const std::lock_guard lock(mutex_);
  if (!signer_) {
    signer_.emplace(*key);
  }
  return &*signer_;
}

/// Of two that make one at the same time, one wins and both get its. Who may not write into the
/// store, and finds none, gets one for this process: nothing is leased through it.
Result<std::string> LeaseKey::stored_key() {
  const auto deadline = storage::Deadline::in(kPatience);
  for (;;) {
    auto stored = store_.get(lease_key(), deadline);
    if (!stored || *stored) {
      return stored ? Result<std::string>(std::move((*stored)->value)) : Failure(stored.error());
    }
    std::array<std::uint8_t, 32> octets{};
    random_.fill(octets);
    storage::Batch batch;
    batch.checks.push_back({lease_key(), 0});
    std::string key =
        encoding::base64_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
    batch.puts.push_back({lease_key(), key});
    const auto made = store_.commit(std::move(batch), deadline);
    if (!made && made.error().reason == "bad_request") {
      return key;
    }
    if (!made && made.error().reason != "conflict") {
      return Failure(made.error());
    }
  }
}

}  // namespace edge::queues
