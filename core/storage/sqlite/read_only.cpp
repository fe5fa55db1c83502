// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/read_only.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>

#include "core/storage/sqlite/schema.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAgain = 100ms;

Error read_only() {
  return {ErrorCode::InvalidArgument, "the store was opened for reading only", "", "bad_request"};
}

}  // namespace

ReadOnly::ReadOnly(std::filesystem::path directory, const Clock& clock)
    : directory_(std::move(directory)),
      reads_(directory_ / "edge.db", clock),
      volumes_(directory_ / "events") {
  if (!std::filesystem::exists(directory_ / "edge.db")) {
    throw DatabaseFault(
        {ErrorCode::NotFound, fmt::format("there is no store in {}", directory_.string())});
  }
  Database state(directory_ / "edge.db", Database::Mode::ReadOnly);
  check_format(state);
}

VolumeSet& ReadOnly::refreshed() {
  const VolumeSet::Volumes known = volumes_.all();
  const std::vector<std::uint64_t> numbers = volumes_.numbers(false);
  for (const auto& volume : known) {
    if (!std::ranges::binary_search(numbers, volume->number())) {
      volumes_.remove(volume->number());
    }
  }
  for (const std::uint64_t number : numbers) {
    if (std::ranges::none_of(known,
                             [number](const auto& volume) { return volume->number() == number; })) {
      const std::filesystem::path path = Volume::path_of(volumes_.directory(), number);
      volumes_.put(
          std::make_shared<Volume>(path, VolumeFacts{.number = number}, Volume::State::Closed));
    }
  }
  return volumes_;
}

void ReadOnly::commit(Batch, Deadline, Done done) {
  done(Failure(read_only()));
}

Result<std::vector<std::optional<Entry>>> ReadOnly::get(std::span<const Key> keys,
                                                        Deadline deadline) {
  if (auto error = violation(keys)) {
    return Failure(std::move(*error));
  }
  return guarded([&] { return reads_.get(keys, deadline); });
}

Result<Page> ReadOnly::scan(const Scan& query, Deadline deadline) {
  const Key key{query.space, query.part, query.from};
  if (auto error = violation({&key, 1})) {
    return Failure(std::move(*error));
  }
  return guarded([&] { return reads_.scan(query, deadline); });
}

std::uint64_t ReadOnly::head(const std::string& stream, std::uint32_t lane) {
  const auto heads = guarded([&] {
    const VolumeSet::Volumes volumes = refreshed().all();
    return volumes.empty() ? Recent::Heads{} : volumes.back()->heads(Deadline::in(5s));
  });
  if (!heads) {
    return 0;
  }
  const auto found = heads->find({stream, lane});
  return found == heads->end() ? 0 : found->second;
}

Result<Slice> ReadOnly::read(const Read& query, Deadline deadline) {
  const auto until = std::min(deadline.at(), std::chrono::steady_clock::now() + query.wait);
  std::mutex mutex;
  std::condition_variable_any pause;
  for (;;) {
    const std::uint64_t known = head(query.stream, query.lane);
    auto slice = guarded([&] { return refreshed().read(query, deadline); });
    if (slice && slice->records.empty()) {
      slice->reached = std::max(slice->reached, known);  // what was there between is erased
    }
    const auto now = std::chrono::steady_clock::now();
    if (!slice || slice->reached > query.after || now >= until || query.stop.stop_requested()) {
      return slice;
    }
    std::unique_lock lock(mutex);
    pause.wait_until(lock, query.stop, std::min(until, now + kLookAgain), [] { return false; });
  }
}

Result<Found> ReadOnly::find(const Find& query, Deadline deadline) {
  return guarded([&] { return refreshed().find(query, deadline); });
}

Result<std::vector<Due>> ReadOnly::take(const Take&, Deadline) {
  return Failure(read_only());
}

Result<DuePage> ReadOnly::list(const List& query, Deadline deadline) {
  return guarded([&] { return reads_.list(query, deadline); });
}

DueSize ReadOnly::size(const std::string& queue) {
  const auto size = guarded([&] { return reads_.size(queue, Deadline::in(5s)); });
  return size ? *size : DueSize{};
}

Result<DueLater> ReadOnly::later(const std::string& queue, Deadline deadline) {
  return guarded([&] { return reads_.later(queue, deadline); });
}

Result<Position> ReadOnly::position(const std::string& consumer,
                                    const std::string& stream,
                                    std::uint32_t lane,
                                    Deadline deadline) {
  return guarded([&] { return reads_.position(consumer, stream, lane, deadline); });
}

Result<std::vector<Owned>> ReadOnly::own(const Claim&, Deadline) {
  return Failure(read_only());
}

Result<std::uint64_t> ReadOnly::erase(const Subject&, Deadline) {
  return Failure(read_only());
}

Result<void> ReadOnly::scrub(Deadline) {
  return Failure(read_only());
}

Result<std::uint64_t> ReadOnly::retain(const Policy&, Deadline) {
  return Failure(read_only());
}

Health ReadOnly::health() {
  Health health;
  for (const std::shared_ptr<Volume>& volume : volumes_.all()) {
    ++health.volumes;
    health.log_bytes += volume->bytes();
  }
  return health;
}

}  // namespace edge::storage::sqlite
