// SPDX-License-Identifier: MIT
#include "tests/support/memory_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace edge::test {

using namespace std::chrono_literals;
using storage::Deadline;

namespace {

constexpr std::int64_t kDedupeWindowMs = std::chrono::milliseconds(24h).count();
constexpr std::int64_t kTokenWindowMs = std::chrono::milliseconds(10min).count();

/// The counter in `text`; nothing when it is not decimal text or the sum does not fit.
std::optional<std::int64_t> add_to(const std::string& text, std::int64_t by) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() ||
      __builtin_add_overflow(value, by, &value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

void MemoryStore::refuse_commits(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  refused_ = std::move(error);
}

void MemoryStore::commit(storage::Batch batch, Deadline deadline, storage::Done done) {
  Result<storage::Receipt> outcome;
  if (deadline.has_passed()) {
    outcome = Failure({ErrorCode::Unavailable, "the deadline had passed", "", "unavailable", 1s});
  } else if (auto error = violation(batch)) {
    outcome = Failure(std::move(*error));
  } else {
    const std::lock_guard lock(mutex_);
    outcome = apply(batch);
    ++commits_;
  }
  changed_.notify_all();
  done(std::move(outcome));
}

Result<storage::Receipt> MemoryStore::apply(storage::Batch& batch) {
  if (refused_) {
    return Failure(*refused_);
  }
  const bool has_token = batch.token != storage::Token{};
  const std::int64_t now = store_ms();
  if (const auto found = tokens_.find(batch.token); has_token && found != tokens_.end()) {
    if (found->second.at + kTokenWindowMs > now) {
      return found->second.receipt;
    }
  }
  if (auto error = refusal(batch)) {
    return Failure(std::move(*error));
  }
  storage::Receipt receipt;
  std::uint32_t counted = 0;
  for (storage::Append& one : batch.appends) {
    append(one, counted, receipt);
  }
  apply_state(batch, receipt);
  if (has_token) {
    tokens_[batch.token] = {now, receipt};
  }
  return receipt;
}

std::optional<Error> MemoryStore::refusal(const storage::Batch& batch) const {
  for (std::size_t i = 0; i < batch.checks.size(); ++i) {
    const storage::Entry* entry = living(batch.checks[i].key);
    const std::uint64_t version = entry == nullptr ? 0 : entry->version;
    if (version != batch.checks[i].version) {
      return Error{ErrorCode::Conflict,
                   fmt::format("the key has version {}, not {}", version, batch.checks[i].version),
                   fmt::format("/checks/{}", i),
                   "conflict"};
    }
  }
  for (std::size_t i = 0; i < batch.advances.size(); ++i) {
    const storage::Advance& advance = batch.advances[i];
    const auto found = positions_.find({advance.consumer, advance.stream, advance.lane});
    const std::uint64_t epoch = found == positions_.end() ? 0 : found->second.epoch;
    if (epoch != advance.position.epoch) {
      return Error{ErrorCode::Conflict,
                   "another member owns the lane",
                   fmt::format("/advances/{}", i),
                   "lost_lease"};
    }
  }
  // A counter may be put, deleted or added to earlier in the same batch.
  std::map<storage::Key, std::optional<std::string>> after;
  for (const storage::Put& put : batch.puts) {
    after[put.key] =
        put.expires != 0 && put.expires <= store_ms() ? std::nullopt : std::optional(put.value);
  }
  for (const storage::Del& del : batch.dels) {
    after[del.key] = std::nullopt;
  }
  for (std::size_t i = 0; i < batch.adds.size(); ++i) {
    const storage::Add& add = batch.adds[i];
    const storage::Entry* entry = living(add.key);
    const auto [place, is_new] =
        after.try_emplace(add.key, entry == nullptr ? std::nullopt : std::optional(entry->value));
    const auto sum = add_to(place->second.value_or("0"), add.by);
    if (!sum) {
      return Error{ErrorCode::InvalidArgument,
                   "not a counter, or it overflows",
                   fmt::format("/adds/{}", i),
                   "bad_request"};
    }
    place->second = std::to_string(*sum);
  }
  return std::nullopt;
}

void MemoryStore::append(storage::Append& append,
                         std::uint32_t& counted,
                         storage::Receipt& receipt) {
  storage::Span span{offset_ + 1, 0};
  auto& lane = log_[{append.stream, append.lane}];
  for (storage::NewRecord& record : append.records) {
    const std::uint32_t index = counted++;
    if (append.unique) {
      const auto [place, is_new] = seen_.try_emplace({record.source, record.id}, store_ms());
      if (!is_new && place->second + kDedupeWindowMs > store_ms()) {
        receipt.duplicates.push_back(index);
        continue;
      }
      place->second = store_ms();
    }
    committed_[offset_ + 1] = store_ms();
    heads_[{append.stream, append.lane}] = offset_ + 1;
    lane.push_back(std::make_shared<storage::Record>(storage::Record{++offset_,
                                                                     append.lane,
                                                                     std::move(record.id),
                                                                     record.at,
                                                                     record.kind,
                                                                     record.routes,
                                                                     std::move(record.user),
                                                                     std::move(record.name),
                                                                     std::move(record.body)}));
    ++span.count;
  }
  receipt.spans.push_back(span);
}

void MemoryStore::apply_state(storage::Batch& batch, storage::Receipt& receipt) {
  for (storage::Put& put : batch.puts) {
    receipt.versions.push_back(++version_);
    entries_[put.key] = {std::move(put.value), version_, put.expires};
  }
  for (const storage::Del& del : batch.dels) {
    entries_.erase(del.key);
  }
  for (const storage::Add& add : batch.adds) {
    const storage::Entry* entry = living(add.key);
    const std::int64_t expires = entry == nullptr ? add.expires : entry->expires;
    const std::int64_t sum = *add_to(entry == nullptr ? "0" : entry->value, add.by);
    entries_[add.key] = {std::to_string(sum), ++version_, expires};
    receipt.sums.push_back(sum);
  }
  for (storage::Enqueue& due : batch.dues) {
    const std::uint64_t number = ++due_number_;
    dues_[due.queue][{due.at, number}] = {
        due.at, number, 0, 0, std::move(due.id), std::move(due.order_key), std::move(due.body)};
  }
  for (std::uint32_t i = 0; i < batch.settles.size(); ++i) {
    settle(batch.settles[i], i, receipt);
  }
  for (const storage::Advance& advance : batch.advances) {
    positions_[{advance.consumer, advance.stream, advance.lane}] = advance.position;
  }
}

void MemoryStore::settle(const storage::Settle& settle,
                         std::uint32_t index,
                         storage::Receipt& receipt) {
  auto& queue = dues_[settle.queue];
  const auto found = queue.find({settle.at, settle.number});
  if (found == queue.end() || found->second.lease != settle.lease) {
    receipt.stale.push_back(index);
    return;
  }
  storage::Due due = std::move(found->second);
  queue.erase(found);
  if (settle.outcome == storage::Settle::Outcome::Retry) {
    due.at = settle.retry_at;
    due.lease = 0;
    due.body = settle.body.empty() ? std::move(due.body) : settle.body;
    queue[{due.at, due.number}] = std::move(due);
  } else if (settle.outcome == storage::Settle::Outcome::Move) {
    const std::uint64_t number = ++due_number_;
    dues_[settle.to][{settle.retry_at, number}] = {
        settle.retry_at,
        number,
        0,
        0,
        settle.id.empty() ? std::move(due.id) : settle.id,
        std::move(due.order_key),
        settle.body.empty() ? std::move(due.body) : settle.body};
  }
}

const storage::Entry* MemoryStore::living(const storage::Key& key) const {
  const auto found = entries_.find(key);
  const bool is_absent = found == entries_.end() ||
                         (found->second.expires != 0 && found->second.expires <= store_ms());
  return is_absent ? nullptr : &found->second;
}

}  // namespace edge::test
