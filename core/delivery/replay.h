// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/delivery/replay_source.h"
#include "core/delivery/replay_target.h"

namespace edge::delivery {

/// What to send again and how (cli spec 11, replay).
struct ReplayOptions {
  enum class Timestamps : std::uint8_t { Keep, Shift, Now };
  enum class OnError : std::uint8_t { Skip, Stop, Bury };

  std::optional<Time> since = {};  ///< by the event's own time; events without one pass
  std::optional<Time> until = {};
  std::function<bool(json::Value)> where = {};  ///< events that it does not take are skipped
  std::uint64_t limit = 0;  ///< events chosen: read and not passed over; 0 = all
  double rate = 0;          ///< events per second, 0 = no bound
  double speed = 0;         ///< 1 = the spacing of the events' times, 10 = a tenth, 0 = none
  std::size_t in_flight = 8;
  std::size_t batch = 0;  ///< 0 = what the target takes, at most 100; fewer when they are large
  std::string dedupe = "/messageId";  ///< pointer; empty = send repeated ones too
  Timestamps timestamps = Timestamps::Keep;
  std::uint32_t max_replays = kMaxReplays;
  OnError on_error = OnError::Skip;
  std::uint32_t retries = 3;
  std::filesystem::path checkpoint = {};  ///< empty = none
  bool resume = false;
  bool restart = false;
  /// Reads the checkpoint as the real run would, but leaves it as it is.
  bool rehearsal = false;
};

/// The time of an event by which `since`, `until` and the pace go; nothing when it has none.
std::optional<Time> time_of(json::Value event);

struct ReplayCounts {
  std::uint64_t read = 0;
  std::uint64_t sent = 0;
  std::uint64_t deduplicated = 0;
  std::uint64_t skipped = 0;
  std::uint64_t failed = 0;
  std::uint64_t quarantined = 0;
};

/// What a replay did.
struct ReplaySummary {
  ReplayCounts counts = {};
  std::map<std::string, std::uint64_t> failures = {};  ///< by reason
  std::string first_failure = {};
  bool interrupted = false;
  bool stopped = false;                   ///< by `OnError::Stop`
  std::chrono::milliseconds duration{0};  ///< of this run
  std::uint64_t sent_now = 0;             ///< by this run; `counts` has those before it too
};

/// How it waits and tells.
struct ReplayHooks {
  /// Waits; false when the run was interrupted meanwhile. Called from several threads.
  std::function<bool(std::chrono::milliseconds)> wait;
  std::function<bool()> interrupted;
  std::function<void(const ReplayCounts&)> progress;
  /// So many events of a batch wait that long, although the target took others. Called from several
  /// threads.
  std::function<void(std::size_t events, std::chrono::milliseconds)> held = {};
  /// With `OnError::Bury`: keeps what the target refused as a dead letter. A failure ends the run.
  std::function<Result<void>(const ReplayItem&, const std::string& reason)> bury = {};
};

/// Sends the events of a source to a target: paced, deduplicated, several batches at once. After
/// each acknowledged batch the checkpoint is written (flushed and renamed), in the order of the
/// source, so that a run that died at any moment continues without leaving anything out. A run that
/// was interrupted or stopped always leaves a checkpoint behind. A batch is at most 1 MiB of
/// events, or one; what is too large for the target all the same is sent in halves.
class Replay {
 public:
  Replay(ReplaySource& source,
         ReplayTarget& target,
         ReplayOptions options,
         ReplayHooks hooks,
         const Clock& clock,
         Random& random);

  /// Failures: InvalidArgument (reason `checkpoint_unfinished`: an earlier run is unfinished and
  /// neither `resume` nor `restart` was said; `source_changed`; `checkpoint_missing`;
  /// `checkpoint_invalid`); of source or target when it cannot be used at all.
  Result<ReplaySummary> run();

 private:
  struct Outcome {
    std::vector<std::string> failures = {};  // per item, empty = taken
    std::optional<Error> fatal = {};
    bool interrupted = false;
  };
  struct Batch {
    std::vector<ReplayItem> items = {};
    std::uint64_t position = 0;  // of the last item read, skipped ones included
    ReplayCounts counts = {};    // when it was made
    std::future<Outcome> outcome = {};
  };

  Result<void> begin();
  Result<void> read_checkpoint(const std::string& text);
  Result<bool> gather();
  Result<bool> consider(ReplayItem item);
  bool keeps(const ReplayItem& item, json::Value event);
  bool is_repeated(json::Value event, std::uint64_t position);
  void stamp(ReplayItem& item, json::Value event, std::optional<Time> time);
  Result<bool> pace(std::optional<Time> time);
  Result<void> make_room(std::size_t octets);
  Result<void> send_gathered();
  Result<void> keep_in_flight();
  void dispatch();
  Outcome send(std::span<ReplayItem> items);
  Outcome send_halves(std::span<ReplayItem> items);
  std::chrono::milliseconds back_off(std::uint32_t failures);
  bool wait_until(SteadyTime time);
  Result<void> retire();
  Result<void> settle(const ReplayItem& item, const std::string& failure);
  void note_failure(const std::string& reason, const std::string& message);
  Result<void> write_checkpoint(const Batch& batch);
  Result<void> keep_first_checkpoint();
  [[nodiscard]] std::size_t batch_size() const;

  ReplaySource& source_;
  ReplayTarget& target_;
  const ReplayOptions options_;
  const ReplayHooks hooks_;
  const Clock& clock_;
  Random& random_;

  ReplaySummary summary_;
  std::vector<ReplayItem> gathered_;
  std::size_t gathered_bytes_ = 0;
  std::uint64_t position_ = 0;
  std::deque<Batch> in_flight_;
  std::unordered_set<std::uint64_t> seen_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> recent_;  // position, hash: the last ones
  bool cut_ = false;  // a batch was not sent: nothing behind it counts
  std::optional<Time> first_time_;
  SteadyTime begun_{};
  SteadyTime next_slot_{};

  std::mutex mutex_;
  SteadyTime not_before_{};  // guarded by mutex_; the target asked to slow down
};

}  // namespace edge::delivery
