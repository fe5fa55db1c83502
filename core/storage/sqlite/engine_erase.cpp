// SPDX-License-Identifier: MIT
// How the embedded engine lets go of data for good.
//
// Deleting rows is not enough: SQLite leaves the octets in free pages, in the unused part of pages
// and in the write-ahead log. So nothing is deleted in place.
//
// Records: the active volume, when it holds any of them, is rolled; what is closed is sealed, which
// folds its write-ahead log into it; then each sealed volume with a hit is written anew beside the
// old file, with what stays only, and takes its place by a rename. The log writer and all readers
// go on meanwhile: a reader that has the old file open finishes with it.
//
// State: VACUUM writes edge.db anew from what is alive, and the truncated write-ahead log takes the
// old pages with it. It costs as much as the file is large, so callers gather what they delete.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/fault.h"
#include "core/storage/sqlite/engine.h"

namespace edge::storage::sqlite {
namespace {

using Offsets = std::span<const std::uint64_t>;

/// The part of rising offsets that lies in [first, end).
Offsets within(const std::vector<std::uint64_t>& offsets, std::uint64_t first, std::uint64_t end) {
  const auto from = std::ranges::lower_bound(offsets, first);
  const auto to = std::lower_bound(from, offsets.end(), end);
  return {from, to};
}

Error unsealed(const Volume& volume, const Result<void>& sealed) {
  return sealed ? Error{ErrorCode::Unavailable,
                        fmt::format("{} cannot be sealed now", volume.path().string()),
                        "",
                        "unavailable",
                        std::chrono::seconds{1}}
                : sealed.error();
}

/// SQLite names the new file, or none: damage is in the old one.
Error of_file(Error error, const std::filesystem::path& path) {
  if (error.reason == "corrupt") {
    error.message = fmt::format("{} is damaged, nothing can be removed from it: restore it ({})",
                                path.string(),
                                error.message);
  }
  return error;
}

}  // namespace

Result<std::uint64_t> Engine::erase(const Subject& subject, Deadline deadline) {
  if (!std::ranges::is_sorted(subject.offsets)) {
    return Failure({ErrorCode::InvalidArgument, "offsets must rise", "", "bad_request"});
  }
  if (subject.offsets.empty()) {
    return std::uint64_t{0};
  }
  recent_->erase(subject.offsets);
  const auto hold = housekeeper_->hold_volumes();
  if (subject.offsets.back() >= volumes_.all().back()->first()) {
    if (auto rolled = log_->roll(deadline); !rolled) {
      return Failure(rolled.error());
    }
  }
  const auto sealed = housekeeper_->seal_waiting();
  std::vector<IdHash> forgotten;
  for (const auto& [source, id] : subject.forgotten_ids) {
    forgotten.push_back(log_->hash_of(source, id));
  }
  std::uint64_t erased = 0;
  std::optional<Error> failure;  // the first; what lies in other files goes nevertheless
  const VolumeSet::Volumes volumes = volumes_.all();
  for (std::size_t i = 0; i + 1 < volumes.size(); ++i) {
    const Offsets offsets = within(subject.offsets, volumes[i]->first(), volumes[i + 1]->first());
    if (offsets.empty()) {
      continue;
    }
    const Volume& volume = *volumes[i];
    const auto done = volume.state() == Volume::State::Sealed
                          ? guarded([&] { return replace(volume, offsets, forgotten); })
                          : Result<std::uint64_t>(Failure(unsealed(volume, sealed)));
    if (!done && !failure) {
      failure = of_file(done.error(), volume.path());
    }
    erased += done.value_or(0);
  }
  return failure ? Failure(*failure) : Result<std::uint64_t>(erased);
}

/// A crash at any point leaves the old file or the new one, whole; while `edge.db` does not know
/// the volume, a start takes its facts from the file.
std::uint64_t Engine::replace(const Volume& volume,
                              Offsets offsets,
                              std::span<const IdHash> forgotten) {
  const auto rewritten = volume.rewrite(offsets, forgotten);
  if (!rewritten) {
    return 0;
  }
  if (auto cleared = housekeeper_->store(volume.number(), std::nullopt); !cleared) {
    throw DatabaseFault(cleared.error());
  }
  if (const int error = EDGE_FAULT("erase.before_swap"); error != 0) {
    throw system_fault(error, "rename", volume.path());
  }
  std::filesystem::rename(volume.path().string() + ".new", volume.path());
  flush_directory(volume.path().parent_path());
  EDGE_FAULT("erase.after_swap");
  volumes_.put(std::make_shared<Volume>(volume.path(), rewritten->facts, Volume::State::Sealed));
  if (auto stored = housekeeper_->store(volume.number(), rewritten->facts); !stored) {
    throw DatabaseFault(stored.error());
  }
  return rewritten->left_out;
}

Result<void> Engine::scrub(Deadline deadline) {
  const auto hold = housekeeper_->hold_volumes();  // it moves the same write-ahead log
  return state_->run_alone(deadline, [](Database& database) {
    database.run("PRAGMA secure_delete=ON; PRAGMA temp_store=FILE; VACUUM");
    database.run("PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY");
    EDGE_FAULT("scrub.before_checkpoint");
    const bool is_busy = database.number("PRAGMA wal_checkpoint(TRUNCATE)") != 0;
    if (is_busy) {
      throw DatabaseFault({ErrorCode::Unavailable,
                           "a reader keeps the old state in use",
                           "",
                           "unavailable",
                           std::chrono::seconds{1}});
    }
  });
}

Result<std::uint64_t> Engine::retain(const Policy& policy, Deadline deadline) {
  const auto hold = housekeeper_->hold_volumes();
  std::uint64_t removed = 0;
  const VolumeSet::Volumes volumes = volumes_.all();
  std::uint64_t bytes = 0;
  for (const std::shared_ptr<Volume>& volume : volumes) {
    bytes += volume->bytes();
  }
  // The oldest first, and no further than the first that must stay; the newest is written to.
  for (std::size_t i = 0; i + 1 < volumes.size() && !deadline.has_passed(); ++i) {
    const Volume& volume = *volumes[i];
    const bool is_too_much = policy.max_bytes != 0 && bytes > policy.max_bytes;
    const bool may_go = volume.state() == Volume::State::Sealed &&
                        (volume.facts().committed < policy.before || is_too_much) &&
                        volume.facts().last <= policy.passed;
    if (!may_go) {
      break;
    }
    // How far the consumers are must not be lost once the records are gone.
    const auto flushed = guarded([&] {
      if (removed == 0) {
        flush_wal(ground_.directory / "edge.db");
      }
      return removed;
    });
    if (!flushed) {
      return Failure(flushed.error());
    }
    bytes -= std::min(bytes, volume.bytes());
    volumes_.remove(volume.number());
    recent_->drop(volume.facts().last);
    std::error_code error;
    std::filesystem::remove(volume.path(), error);
    if (error) {
      return Failure(system_fault(error.value(), "remove", volume.path()).error());
    }
    EDGE_FAULT("volume.unlink");
    ++removed;
    // The row of the last one stays: it says which numbers were given.
    if (auto stored = housekeeper_->store(volume.number(), std::nullopt); !stored) {
      return Failure(stored.error());
    }
  }
  return removed;
}

}  // namespace edge::storage::sqlite
