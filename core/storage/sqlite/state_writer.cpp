// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/state_writer.h"

#include <pthread.h>

#include <algorithm>

#include "core/base/fault.h"

namespace edge::storage::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr Load kQueueLimit{8'192, std::size_t{64} << 20U};
constexpr Load kGroupLimit{4'096, std::size_t{4} << 20U};
constexpr auto kIdle = 1s;

Error unavailable(const char* why) {
  return {ErrorCode::Unavailable, why, "", "unavailable", 1s};
}

}  // namespace

StateWriter::StateWriter(Ground& ground, std::unique_ptr<Database> database, DueSizes& sizes)
    : ground_(ground),
      database_(std::move(database)),
      tables_(*database_, sizes),
      flush_(ground, *database_),
      queue_(kQueueLimit, kGroupLimit) {
  database_->count_wal(wal_pages_);
  thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
}

StateWriter::~StateWriter() {
  thread_.request_stop();
  thread_.join();
  settle_file(*database_);
}

void StateWriter::submit(StateJob job) {
  if (!queue_.try_push(job)) {
    const Error error = unavailable("too many changes wait to be written");
    job.finish(&error);
  }
}

void StateWriter::submit(Batch batch, Deadline deadline, Done done) {
  struct Work {
    Batch batch;
    Done done;
    Result<Receipt> outcome;
  };
  const std::size_t bytes = bytes_of(batch);
  const bool derived = batch.derived;
  const auto work = std::make_shared<Work>(Work{std::move(batch), std::move(done), Receipt{}});
  submit({deadline,
          {1, bytes},
          [work](StateTables& tables) { work->outcome = tables.apply(work->batch); },
          [work](const Error* error) {
            work->done(error == nullptr ? std::move(work->outcome)
                                        : Result<Receipt>(Failure(*error)));
          },
          {},
          derived});
}

Result<void> StateWriter::run(Deadline deadline, std::function<void(StateTables&)> change) {
  return wait_for({deadline, {1, 0}, std::move(change), {}});
}

Result<void> StateWriter::run_alone(Deadline deadline, std::function<void(Database&)> work) {
  return wait_for({deadline, {1, 0}, {}, {}, std::move(work)});
}

Result<void> StateWriter::wait_for(StateJob job) {
  struct Wait {
    std::mutex mutex;
    std::condition_variable ready;
    bool is_done = false;        // guarded by mutex
    std::optional<Error> error;  // guarded by mutex
  };
  const auto wait = std::make_shared<Wait>();
  job.finish = [wait](const Error* error) {
    const std::lock_guard lock(wait->mutex);
    wait->is_done = true;
    wait->error = error == nullptr ? std::nullopt : std::optional(*error);
    wait->ready.notify_one();
  };
  submit(std::move(job));
  std::unique_lock lock(wait->mutex);
  wait->ready.wait(lock, [&wait] { return wait->is_done; });
  if (wait->error) {
    return Failure(*wait->error);
  }
  return {};
}

void StateWriter::loop(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "state");
  for (;;) {
    std::vector<StateJob> group = queue_.take(stop, kIdle);
    if (!group.empty()) {
      process(std::move(group));
    } else if (stop.stop_requested()) {
      break;
    }
    flush_.flush_if_overdue();
  }
}

void StateWriter::process(std::vector<StateJob> group) {
  std::vector<StateJob> timely;
  std::vector<StateJob> alone;
  for (StateJob& job : group) {
    if (job.deadline.has_passed()) {
      const Error error = unavailable("the deadline passed before the change was begun");
      ground_.tell([&] { job.finish(&error); });
    } else {
      (job.alone ? alone : timely).push_back(std::move(job));
    }
  }
  if (!timely.empty()) {
    apply_and_finish(timely);
  }
  for (const StateJob& job : alone) {
    run_alone(job);
  }
}

void StateWriter::run_alone(const StateJob& job) {
  std::optional<Error> error = ground_.vitals.failure();
  if (!error) {
    try {
      job.alone(*database_);
    } catch (const DatabaseFault& fault) {
      ground_.judge(fault.error());
      error = fault.error();
    }
  }
  ground_.tell([&] { job.finish(error ? &*error : nullptr); });
}

void StateWriter::apply_and_finish(std::vector<StateJob>& timely) {
  const std::optional<Error> error = try_group(timely);
  const bool may_be_one_of_them = error && error->reason == "corrupt" && timely.size() > 1;
  for (StateJob& job : timely) {
    // A damaged value fails only the change that needs it.
    const std::optional<Error> own = may_be_one_of_them ? try_group({&job, 1}) : error;
    ground_.tell([&] { job.finish(own ? &*own : nullptr); });
  }
}

std::optional<Error> StateWriter::try_group(std::span<StateJob> group) {
  if (auto failure = ground_.vitals.failure()) {
    return failure;
  }
  for (int attempt = 1;; ++attempt) {
    try {
      write(group);
      return std::nullopt;
    } catch (const DatabaseFault& fault) {
      if (fault.error().reason != "corrupt") {
        ground_.judge(fault.error());
      }
      // A full disk has just got the reserve back: once more.
      if (fault.error().reason != "full" || attempt > 1) {
        return fault.error();
      }
    } catch (const std::exception& fault) {
      const Error error{ErrorCode::Unavailable, fault.what(), "", "failed"};
      ground_.vitals.fail(error);
      return error;
    }
  }
}

void StateWriter::write(std::span<StateJob> group) {
  const bool derived = std::ranges::all_of(group, &StateJob::derived);
  flush_.prepare(derived);
  Transaction transaction(*database_);
  tables_.begin(ground_.store_ms());
  for (StateJob& job : group) {
    job.apply(tables_);
  }
  tables_.end();
  if (const int error = EDGE_FAULT("apply.before_commit"); error != 0) {
    throw system_fault(error, "flush", database_->path());
  }
  transaction.commit();
  tables_.committed();
  unflushed_ = unflushed_ || derived;
  EDGE_FAULT("apply.after_commit");
}

}  // namespace edge::storage::sqlite
