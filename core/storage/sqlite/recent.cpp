// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/recent.h"

#include <algorithm>

#include "core/storage/sqlite/rows.h"

namespace edge::storage::sqlite {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{8} << 20U;
constexpr std::size_t kMaxRecords = 65'536;

std::size_t cost_of(const Recent::Appended& item) {
  return bytes_of(*item.record) + sizeof(Record);
}

}  // namespace

void Recent::publish(std::vector<Appended> records) {
  {
    const std::lock_guard lock(mutex_);
    for (Appended& item : records) {
      heads_[{item.stream, item.record->lane}] = item.record->offset;
      bytes_ += cost_of(item);
      records_.push_back(std::move(item));
    }
    while (bytes_ > kMaxBytes || records_.size() > kMaxRecords) {
      bytes_ -= cost_of(records_.front());
      complete_from_ = records_.front().record->offset + 1;
      records_.pop_front();
    }
  }
  news_.notify_all();
}

void Recent::erase(std::span<const std::uint64_t> offsets) {
  const std::lock_guard lock(mutex_);
  std::erase_if(records_, [&](const Appended& item) {
    const bool is_gone = std::ranges::binary_search(offsets, item.record->offset);
    bytes_ -= is_gone ? cost_of(item) : 0;
    return is_gone;
  });
}

void Recent::drop(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  while (!records_.empty() && records_.front().record->offset <= offset) {
    bytes_ -= cost_of(records_.front());
    records_.pop_front();
  }
}

std::uint64_t Recent::head_locked(const std::string& stream, std::uint32_t lane) const {
  const auto found = heads_.find({stream, lane});
  return found == heads_.end() ? 0 : found->second;
}

std::uint64_t Recent::head(const std::string& stream, std::uint32_t lane) const {
  const std::lock_guard lock(mutex_);
  return head_locked(stream, lane);
}

std::optional<Slice> Recent::read(const Read& query) const {
  const std::lock_guard lock(mutex_);
  Slice slice{{}, query.after};
  const std::uint64_t head = head_locked(query.stream, query.lane);
  if (head <= query.after) {
    return slice;
  }
  if (query.after + 1 < complete_from_) {
    return std::nullopt;
  }
  const std::size_t max_records = std::min(query.max_records, kMaxReadRecords);
  const std::size_t max_bytes = std::min(query.max_bytes, kMaxReadBytes);
  std::size_t bytes = 0;
  auto i = std::ranges::upper_bound(
      records_, query.after, {}, [](const Appended& item) { return item.record->offset; });
  for (; i != records_.end() && slice.records.size() < max_records; ++i) {
    if (i->record->lane != query.lane || i->stream != query.stream) {
      continue;
    }
    bytes += bytes_of(*i->record);
    if (!slice.records.empty() && bytes > max_bytes) {
      break;
    }
    slice.records.push_back(i->record);
    slice.reached = i->record->offset;
  }
  if (i == records_.end()) {
    slice.reached = std::max(slice.reached, head);  // what was there between is erased
  }
  return slice;
}

void Recent::wait(const Read& query, Deadline deadline) const {
  const auto until = std::min(deadline.at(), std::chrono::steady_clock::now() + query.wait);
  std::unique_lock lock(mutex_);
  news_.wait_until(
      lock, query.stop, until, [&] { return head_locked(query.stream, query.lane) > query.after; });
}

}  // namespace edge::storage::sqlite
