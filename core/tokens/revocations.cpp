// SPDX-License-Identifier: MIT
#include "core/tokens/revocations.h"

#include <utility>

#include "core/crypto/digest.h"
#include "core/encoding/base64.h"

namespace edge::tokens {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
/// Verifiers may let a token live on for that long.
constexpr auto kLeeway = std::chrono::seconds(300);

/// One name for the pair, of a bounded size whatever the other issuer writes.
std::string name_of(std::string_view issuer, std::string_view token_id) {
  std::string pair(issuer);
  pair += '\0';
  pair += token_id;
  return encoding::base64url_encode(crypto::sha256(pair));
}

}  // namespace

Result<void> Revocations::load() {
  auto scan = storage::Scan::prefix("revoked_token", "", "");
  while (true) {
    const auto page = store_.scan(scan, storage::Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    {
      const std::lock_guard lock(mutex_);
      for (const auto& item : page->items) {
        until_[item.key] = from_ms(item.entry.expires);
      }
    }
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

Result<void> Revocations::add(std::string_view issuer, std::string_view token_id, Time expires) {
  std::string name = name_of(issuer, token_id);
  const Time until = expires + kLeeway;
  storage::Batch batch;
  batch.puts.push_back({{"revoked_token", "", name}, std::string(issuer), to_ms(until)});
  if (auto done = store_.commit(std::move(batch), storage::Deadline::in(kPatience)); !done) {
    return Failure(std::move(done.error()));
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(until_, [now = clock_.now()](const auto& entry) { return entry.second <= now; });
  until_[std::move(name)] = until;
  return {};
}

bool Revocations::contains(std::string_view issuer, std::string_view token_id) const {
  const std::lock_guard lock(mutex_);
  return !until_.empty() && until_.contains(name_of(issuer, token_id));
}

}  // namespace edge::tokens
