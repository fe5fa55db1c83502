// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/housekeeper.h"

#include <pthread.h>

#include "core/base/fault.h"
#include "core/storage/sqlite/schema.h"
#include "core/storage/sqlite/state_reads.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 500ms;
constexpr auto kSealAgain = 10s;
constexpr auto kSweep = 30s;
constexpr int kSweptRows = 1'000;
constexpr auto kQuiet = 5s;
constexpr auto kSlowDisk = 60s;  // a file is rewritten already, giving up would not make it undone
constexpr std::uint64_t kMovedBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kRestartPages = (std::uint64_t{64} << 20U) / kStatePageBytes;

constexpr const char* kMove = "PRAGMA wal_checkpoint(PASSIVE)";
constexpr const char* kEmpty = "PRAGMA wal_checkpoint(TRUNCATE)";

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  return error ? 0 : bytes;
}

/// True when nobody has written for a while.
bool is_quiet(const std::filesystem::path& wal) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(wal, error);
  return !error && std::filesystem::file_time_type::clock::now() - written > kQuiet;
}

}  // namespace

Housekeeper::Housekeeper(Ground& ground, VolumeSet& volumes, StateWriter& state)
    : ground_(ground),
      volumes_(volumes),
      state_(state),
      sealed_at_(std::chrono::steady_clock::now() - kSealAgain),
      swept_at_(std::chrono::steady_clock::now()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Housekeeper::~Housekeeper() {
  thread_.request_stop();
  thread_.join();
}

void Housekeeper::seal(std::shared_ptr<Volume> volume) {
  {
    const std::lock_guard lock(mutex_);
    closed_.push_back(std::move(volume));
    has_news_ = true;
  }
  woken_.notify_one();
}

void Housekeeper::run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "housekeeper");
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      woken_.wait_for(lock, stop, kTick, [this] { return has_news_; });
      has_news_ = false;
    }
    if (stop.stop_requested() || ground_.vitals.failure()) {
      continue;
    }
    const VolumeSet::Volumes volumes = volumes_.all();
    {
      const auto hold = hold_volumes();
      flush_state();
      move_state();
      move_log(volumes.back()->path());
    }
    for (std::size_t i = 0; i + 32 < volumes.size(); ++i) {
      volumes[i]->close_idle_readers();
    }
    seal_next();
    if (std::chrono::steady_clock::now() - swept_at_ > kSweep) {
      remove_expired(stop);
    }
  }
}

void Housekeeper::seal_next() {
  if (std::chrono::steady_clock::now() - sealed_at_ < kSealAgain) {
    return;
  }
  const auto hold = hold_volumes();
  if (!seal_waiting()) {
    sealed_at_ = std::chrono::steady_clock::now();
  }
}

Result<void> Housekeeper::seal_waiting() {
  Result<void> sealed;
  std::deque<std::shared_ptr<Volume>> failed;
  for (;;) {
    std::shared_ptr<Volume> volume;
    {
      const std::lock_guard lock(mutex_);
      if (closed_.empty()) {
        closed_ = std::move(failed);
        return sealed;
      }
      volume = std::move(closed_.front());
      closed_.pop_front();
    }
    if (auto done = try_seal(*volume); !done) {
      sealed = sealed ? done : sealed;
      failed.push_back(std::move(volume));
    }
  }
}

/// Best effort: an unsealed volume is complete and readable, it is tried again, and a start begins
/// anew with it.
Result<void> Housekeeper::try_seal(Volume& volume) {
  databases_.erase(volume.path());
  const auto facts = guarded([&] { return volume.seal(); });
  auto stored = facts ? store(facts->number, *facts) : Failure(facts.error());
  if (stored) {
    volumes_.put(std::make_shared<Volume>(volume.path(), *facts, Volume::State::Sealed));
  }
  return stored;
}

Result<void> Housekeeper::store(std::uint64_t number, const std::optional<VolumeFacts>& facts) {
  return state_.run(Deadline::in(kSlowDisk), [number, facts](StateTables& tables) {
    if (!facts) {
      tables.database().query("DELETE FROM volume WHERE n=?1").bind(1, number).run();
      return;
    }
    tables.database()
        .query("INSERT OR REPLACE INTO volume VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        .bind(1, facts->number)
        .bind(2, facts->first)
        .bind(3, facts->last)
        .bind(4, facts->bytes)
        .bind(5, facts->committed)
        .bind(6, facts->at_min)
        .bind(7, facts->at_max)
        .bind(8, std::string_view(facts->sha256))
        .run();
  });
}

/// Derived commits do not wait for the disk, and need not make a restart fold for long either.
void Housekeeper::flush_state() {
  if (!state_.take_unflushed()) {
    return;
  }
  try {
    flush_wal(ground_.directory / "edge.db");
  } catch (const DatabaseFault& fault) {
    ground_.judge(fault.error());
  }
}

void Housekeeper::move_state() {
  const std::filesystem::path path = ground_.directory / "edge.db";
  const std::uint64_t length = state_.wal_pages();
  if (size_of(wal_of(path)) != 0 && is_quiet(wal_of(path))) {
    move(path, kEmpty);
    state_moved_ = length;
    return;
  }
  if (length < state_moved_) {
    state_moved_ = 0;  // it began anew
  }
  if ((length - state_moved_) * kStatePageBytes < kMovedBytes) {
    return;
  }
  move(path, kMove);
  state_moved_ = length;
  if (length > kRestartPages) {
    // What was written meanwhile, and the little that was written while that was moved, with nobody
    // writing more: the next change finds everything moved, and overwrites the log from its
    // beginning. SQLite's RESTART would keep the writer waiting for all of it. A failure shows when
    // it is tried again.
    move(path, kMove);
    static_cast<void>(
        state_.run_alone(Deadline::in(10s), [](Database& database) { database.run(kMove); }));
  }
}

void Housekeeper::move_log(const std::filesystem::path& path) {
  const std::uint64_t bytes = size_of(wal_of(path));
  if (bytes == 0) {
    return;
  }
  if (is_quiet(wal_of(path))) {
    move(path, kEmpty);
    return;
  }
  // A volume is rolled long before its log is too long, and sealing moves the rest.
  if (path != log_ || bytes < log_moved_) {
    log_ = path;
    log_moved_ = 0;
  }
  if (bytes - log_moved_ >= kMovedBytes) {
    move(path, kMove);
    log_moved_ = bytes;
  }
}

void Housekeeper::move(const std::filesystem::path& path, const char* how) {
  try {
    auto& database = databases_[path];
    if (!database) {
      database = std::make_unique<Database>(path, Database::Mode::ReadWrite);
      database->run("PRAGMA busy_timeout=100; PRAGMA wal_autocheckpoint=0");
    }
    EDGE_FAULT("checkpoint.mid");
    database->run(how);
  } catch (const DatabaseFault& fault) {
    ground_.judge(fault.error());
  }
}

void Housekeeper::remove_expired(const std::stop_token& stop) {
  swept_at_ = std::chrono::steady_clock::now();
  bool is_more = true;
  while (is_more && !stop.stop_requested()) {
    is_more = false;
    // A failure shows in the vitals; what stays is removed the next time.
    static_cast<void>(state_.run(Deadline::in(10s), [&is_more](StateTables& tables) {
      is_more = tables.remove_expired(kSweptRows);
    }));
  }
}

}  // namespace edge::storage::sqlite
