// SPDX-License-Identifier: MIT
#include <algorithm>

#include "tests/support/memory_store.h"

namespace edge::test {

using namespace std::chrono_literals;
using storage::Deadline;

namespace {

std::size_t bytes_of(const storage::Record& record) {
  return record.id.size() + record.user.size() + record.name.size() + record.body.size();
}

}  // namespace

Result<std::vector<std::optional<storage::Entry>>> MemoryStore::get(
    std::span<const storage::Key> keys, Deadline) {
  const std::lock_guard lock(mutex_);
  std::vector<std::optional<storage::Entry>> entries;
  for (const storage::Key& key : keys) {
    const storage::Entry* entry = living(key);
    entries.push_back(entry == nullptr ? std::nullopt : std::optional(*entry));
  }
  return entries;
}

Result<storage::Page> MemoryStore::scan(const storage::Scan& query, Deadline) {
  const std::lock_guard lock(mutex_);
  std::vector<storage::Page::Item> all;
  for (auto i = entries_.lower_bound({query.space, query.part, query.from}); i != entries_.end();
       ++i) {
    const storage::Key& key = i->first;
    if (key.space != query.space || key.part != query.part ||
        (!query.to.empty() && key.key >= query.to)) {
      break;
    }
    if (living(key) != nullptr) {
      all.push_back({key.key, i->second});
    }
  }
  if (query.reverse) {
    std::ranges::reverse(all);
  }
  storage::Page page;
  std::size_t bytes = 0;
  const std::size_t limit = std::min(query.limit, storage::kMaxPageItems);
  for (storage::Page::Item& item : all) {
    bytes += item.key.size() + item.entry.value.size();
    if (page.items.size() == limit || (!page.items.empty() && bytes > storage::kMaxPageBytes)) {
      page.next = query.reverse ? page.items.back().key : item.key;
      break;
    }
    page.items.push_back(std::move(item));
  }
  return page;
}

std::uint64_t MemoryStore::head(const std::string& stream, std::uint32_t lane) {
  const std::lock_guard lock(mutex_);
  return heads_[{stream, lane}];
}

Result<std::uint64_t> MemoryStore::erase(const storage::Subject& subject, Deadline) {
  const std::lock_guard lock(mutex_);
  for (const auto& name : subject.forgotten_ids) {
    seen_.erase(name);
  }
  std::uint64_t erased = 0;
  for (auto& [name, records] : log_) {
    erased += std::erase_if(records, [&](const storage::RecordPointer& record) {
      return std::ranges::binary_search(subject.offsets, record->offset);
    });
  }
  return erased;
}

Result<std::uint64_t> MemoryStore::retain(const storage::Policy& policy, Deadline) {
  const std::lock_guard lock(mutex_);
  std::uint64_t removed = 0;
  for (auto& [name, records] : log_) {
    removed += std::erase_if(records, [&](const storage::RecordPointer& record) {
      return record->offset <= policy.passed && committed_[record->offset] < policy.before;
    });
  }
  return removed;
}

Result<storage::Slice> MemoryStore::read(const storage::Read& query, Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto& records = log_[{query.stream, query.lane}];
  const std::uint64_t& head = heads_[{query.stream, query.lane}];
  const auto until = std::min(deadline.at(), std::chrono::steady_clock::now() + query.wait);
  changed_.wait_until(lock, query.stop, until, [&] { return head > query.after; });
  storage::Slice slice{{}, query.after};
  std::size_t bytes = 0;
  auto i =
      std::ranges::upper_bound(records, query.after, {}, [](const storage::RecordPointer& record) {
        return record->offset;
      });
  for (; i != records.end() &&
         slice.records.size() < std::min(query.max_records, storage::kMaxReadRecords);
       ++i) {
    bytes += bytes_of(**i);
    if (!slice.records.empty() && bytes > std::min(query.max_bytes, storage::kMaxReadBytes)) {
      break;
    }
    slice.records.push_back(*i);
    slice.reached = (*i)->offset;
  }
  if (i == records.end()) {
    slice.reached = std::max(slice.reached, head);  // what was there between is erased
  }
  return slice;
}

Result<storage::Found> MemoryStore::find(const storage::Find& query, Deadline) {
  const std::lock_guard lock(mutex_);
  std::map<std::uint64_t, storage::RecordPointer, std::greater<>> matches;
  for (const auto& [name, records] : log_) {
    for (const storage::RecordPointer& record : records) {
      if (name.first == query.stream && (query.before == 0 || record->offset < query.before) &&
          (query.id.empty() || record->id == query.id) &&
          (query.user.empty() || record->user == query.user) &&
          (!query.kind || record->kind == *query.kind) &&
          (query.name.empty() || record->name == query.name) && record->at >= query.since &&
          (query.until == 0 || record->at < query.until)) {
        matches[record->offset] = record;
      }
    }
  }
  storage::Found found;
  std::size_t bytes = 0;
  for (const auto& [offset, record] : matches) {
    bytes += bytes_of(*record);
    if (found.records.size() == std::min(query.limit, storage::kMaxPageItems) ||
        (!found.records.empty() && bytes > storage::kMaxPageBytes)) {
      found.next = found.records.back()->offset;
      break;
    }
    found.records.push_back(record);
  }
  return found;
}

std::vector<storage::Due> MemoryStore::take_now(const storage::Take& query) {
  std::vector<storage::Due> taken;
  auto& queue = dues_[query.queue];
  const std::int64_t now = store_ms();
  while (!queue.empty() && taken.size() < std::min(query.limit, storage::kMaxPageItems) &&
         queue.begin()->second.at <= now) {
    storage::Due due = std::move(queue.begin()->second);
    queue.erase(queue.begin());
    due.at = now + std::max<std::int64_t>(query.lease_for.count(), 1);
    due.lease = ++lease_;
    ++due.tries;
    queue[{due.at, due.number}] = due;
    taken.push_back(std::move(due));
  }
  return taken;
}

Result<std::vector<storage::Due>> MemoryStore::take(const storage::Take& query, Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto until = std::min(deadline.at(), std::chrono::steady_clock::now() + query.wait);
  auto taken = take_now(query);
  while (taken.empty() && std::chrono::steady_clock::now() < until &&
         !query.stop.stop_requested()) {
    const auto look_again = std::min(until, std::chrono::steady_clock::now() + 100ms);
    const std::uint64_t commits = commits_;
    changed_.wait_until(lock, query.stop, look_again, [&] { return commits_ != commits; });
    taken = take_now(query);
  }
  return taken;
}

Result<storage::DuePage> MemoryStore::list(const storage::List& query, Deadline) {
  const std::lock_guard lock(mutex_);
  storage::DuePage page;
  std::size_t bytes = 0;
  for (const auto& [place, due] : dues_[query.queue]) {
    if ((query.after && place <= *query.after) ||
        (query.order_key && due.order_key != *query.order_key)) {
      continue;
    }
    bytes += due.body.size();
    if (page.items.size() == std::min(query.limit, storage::kMaxPageItems) ||
        (!page.items.empty() && bytes > storage::kMaxPageBytes)) {
      page.next = {page.items.back().at, page.items.back().number};
      break;
    }
    page.items.push_back(due);
  }
  return page;
}

storage::DueSize MemoryStore::size(const std::string& queue) {
  const std::lock_guard lock(mutex_);
  storage::DueSize size;
  for (const auto& [place, due] : dues_[queue]) {
    ++size.items;
    size.octets += due.body.size();
  }
  return size;
}

Result<storage::DueLater> MemoryStore::later(const std::string& queue, Deadline) {
  const std::lock_guard lock(mutex_);
  storage::DueLater later;
  for (const auto& [place, due] : dues_[queue]) {
    if (due.at > store_ms()) {
      ++later.items;
      later.leased += due.lease != 0 ? 1 : 0;
    }
  }
  return later;
}

Result<storage::Position> MemoryStore::position(const std::string& consumer,
                                                const std::string& stream,
                                                std::uint32_t lane,
                                                Deadline) {
  const std::lock_guard lock(mutex_);
  const auto found = positions_.find({consumer, stream, lane});
  return found == positions_.end() ? storage::Position{} : found->second;
}

Result<std::vector<storage::Owned>> MemoryStore::own(const storage::Claim& claim, Deadline) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady();
  Holder& holder = holders_[{claim.consumer, claim.stream}];
  const bool is_holder = holder.member == claim.member && now < holder.until;
  if (!holder.member.empty() && !is_holder && now < holder.until) {
    return std::vector<storage::Owned>{};
  }
  storage::Position& position = positions_[{claim.consumer, claim.stream, 0}];
  position.epoch += is_holder ? 0 : 1;
  holder = {claim.member, now + claim.ttl};
  return std::vector<storage::Owned>{{0, position}};
}

}  // namespace edge::test
