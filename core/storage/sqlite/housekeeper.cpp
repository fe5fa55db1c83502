// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/housekeeper.h"

#include <pthread.h>

#include "core/base/fault.h"
#include "core/storage/sqlite/state_reads.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 500ms;
constexpr auto kSealAgain = 10s;
constexpr auto kSweep = 60s;
constexpr int kSweptRows = 1'000;
constexpr auto kQuiet = 5s;
constexpr std::uint64_t kPassiveBytes = std::uint64_t{32} << 20U;
constexpr std::uint64_t kRestartBytes = std::uint64_t{256} << 20U;

/// Which checkpoint a write-ahead log needs now; null for none.
const char* needed_checkpoint(const std::filesystem::path& wal) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(wal, error);
  if (error || bytes == 0) {
    return nullptr;
  }
  const auto written = std::filesystem::last_write_time(wal, error);
  if (!error && std::filesystem::file_time_type::clock::now() - written > kQuiet) {
    return "PRAGMA wal_checkpoint(TRUNCATE)";
  }
  if (bytes > kRestartBytes) {
    return "PRAGMA wal_checkpoint(RESTART)";
  }
  return bytes > kPassiveBytes ? "PRAGMA wal_checkpoint(PASSIVE)" : nullptr;
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
      checkpoint(ground_.directory / "edge.db");
      checkpoint(volumes.back()->path());
    }
    for (std::size_t i = 0; i + 32 < volumes.size(); ++i) {
      volumes[i]->close_idle_readers();
    }
    seal_next();
    if (std::chrono::steady_clock::now() - swept_at_ > kSweep) {
      remove_expired();
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
  return state_.run(Deadline::in(10s), [number, facts](StateTables& tables) {
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

void Housekeeper::checkpoint(const std::filesystem::path& path) {
  const char* sql = needed_checkpoint(path.string() + "-wal");
  if (sql == nullptr) {
    return;
  }
  try {
    auto& database = databases_[path];
    if (!database) {
      database = std::make_unique<Database>(path, Database::Mode::ReadWrite);
      database->run("PRAGMA busy_timeout=100; PRAGMA wal_autocheckpoint=0");
    }
    EDGE_FAULT("checkpoint.mid");
    database->run(sql);
  } catch (const DatabaseFault& fault) {
    ground_.judge(fault.error());
  }
}

void Housekeeper::remove_expired() {
  swept_at_ = std::chrono::steady_clock::now();
  // A failure shows in the vitals; what stays is removed the next time.
  static_cast<void>(state_.run(Deadline::in(10s),
                               [](StateTables& tables) { tables.remove_expired(kSweptRows); }));
}

}  // namespace edge::storage::sqlite
