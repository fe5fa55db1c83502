// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/volume_set.h"

#include <algorithm>
#include <charconv>

#include "core/storage/sqlite/rows.h"

namespace edge::storage::sqlite {

std::vector<std::uint64_t> VolumeSet::numbers(bool clean) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    const std::string name = file.path().filename().string();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && std::string_view(end) == ".ev") {
      numbers.push_back(number);
    } else if (clean && name.find(".ev.new") != std::string::npos) {
      std::filesystem::remove(file.path());
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

void VolumeSet::put(std::shared_ptr<Volume> volume) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  const auto place = std::ranges::lower_bound(
      volumes_, volume->number(), {}, [](const auto& one) { return one->number(); });
  if (place != volumes_.end() && (*place)->number() == volume->number()) {
    *place = std::move(volume);
  } else {
    volumes_.insert(place, std::move(volume));
  }
}

void VolumeSet::remove(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  std::erase_if(volumes_, [number](const auto& one) { return one->number() == number; });
}

VolumeSet::Volumes VolumeSet::all() const {
  const std::lock_guard lock(mutex_);
  return volumes_;
}

Slice VolumeSet::read(const Read& query, Deadline deadline) const {
  const Volumes volumes = all();
  // The first volume that can hold `after + 1` is the last one that begins at or below it.
  auto volume = std::ranges::upper_bound(
      volumes, query.after + 1, {}, [](const auto& one) { return one->first(); });
  volume -= volume == volumes.begin() ? 0 : 1;
  Slice slice{{}, query.after};
  Read rest = query;
  rest.max_records = std::min(query.max_records, kMaxReadRecords);
  rest.max_bytes = std::min(query.max_bytes, kMaxReadBytes);
  for (; volume != volumes.end() && slice.records.empty(); ++volume) {
    slice = (*volume)->read(rest, deadline);
  }
  return slice;
}

Found VolumeSet::find(const Find& query, Deadline deadline) const {
  const Volumes volumes = all();
  Found found;
  std::size_t bytes = 0;
  Find rest = query;
  rest.limit = std::min(query.limit, kMaxPageItems);
  const std::size_t limit = rest.limit;
  for (auto i = volumes.rbegin(); i != volumes.rend(); ++i) {
    if (query.before != 0 && (*i)->first() >= query.before) {
      continue;
    }
    rest.limit = limit - found.records.size();
    Found more = (*i)->find(rest, deadline);
    for (RecordPointer& record : more.records) {
      bytes += bytes_of(*record);
      if (!found.records.empty() && bytes > kMaxPageBytes) {
        found.next = found.records.back()->offset;
        return found;
      }
      found.records.push_back(std::move(record));
    }
    if (more.next) {
      found.next = more.next;
      return found;
    }
  }
  return found;
}

}  // namespace edge::storage::sqlite
