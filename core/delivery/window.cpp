// SPDX-License-Identifier: MIT
#include "core/delivery/window.h"

#include <algorithm>

#include "core/destinations/route_set.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kMaxIntervals = 256;  // of a position (`storage::Advance`)

}  // namespace

void Window::start(storage::Position position) {
  items_.clear();
  open_ = 0;
  reached_ = position.offset;
  epoch_ = position.epoch;
  before_restart_ = std::move(position.ahead);
}

std::vector<std::uint64_t> Window::add(const storage::Slice& slice,
                                       unsigned number,
                                       SteadyTime now) {
  std::vector<std::uint64_t> opened;
  for (const storage::RecordPointer& record : slice.records) {
    if (!destinations::goes_to(*record, number)) {
      continue;
    }
    const bool settled = was_settled(record->offset);
    items_.emplace(record->offset, Item{settled ? nullptr : record, now, settled, {}});
    if (!settled) {
      opened.push_back(record->offset);
    }
  }
  open_ += opened.size();
  reached_ = std::max(reached_, slice.reached);
  drop_settled_front();
  return opened;
}

void Window::settle(std::uint64_t offset) {
  const auto found = items_.find(offset);
  if (found == items_.end() || found->second.settled) {
    return;
  }
  found->second.settled = true;
  found->second.record.reset();
  --open_;
  drop_settled_front();
}

std::optional<std::uint64_t> Window::first_open() const {
  return items_.empty() ? std::nullopt : std::optional(items_.begin()->first);
}

storage::Position Window::position() const {
  storage::Position position{.offset = items_.empty() ? reached_ : items_.begin()->first - 1,
                             .epoch = epoch_};
  std::size_t settled_left = items_.size() - open_;
  bool in_run = false;
  for (auto i = items_.begin(); settled_left > 0; ++i) {
    if (i->second.settled) {
      --settled_left;
      if (in_run) {
        position.ahead.back().last = i->first;
      } else {
        position.ahead.push_back({i->first, i->first});
      }
    }
    in_run = i->second.settled;
  }
  // Intervals of an earlier run that have not been read again yet are still settled.
  for (const storage::Interval& interval : before_restart_) {
    if (interval.first > reached_) {
      position.ahead.push_back(interval);
    }
  }
  if (position.ahead.size() > kMaxIntervals) {
    position.ahead.resize(kMaxIntervals);  // the others would be sent again after a crash
  }
  return position;
}

bool Window::was_settled(std::uint64_t offset) const {
  return std::ranges::any_of(before_restart_, [offset](const storage::Interval& interval) {
    return offset >= interval.first && offset <= interval.last;
  });
}

void Window::drop_settled_front() {
  while (!items_.empty() && items_.begin()->second.settled) {
    items_.erase(items_.begin());
  }
}

}  // namespace edge::delivery
