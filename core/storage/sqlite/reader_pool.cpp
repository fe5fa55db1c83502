// SPDX-License-Identifier: MIT
#include "core/storage/sqlite/reader_pool.h"

#include <fmt/format.h>

namespace edge::storage::sqlite {

ReaderPool::Loan::~Loan() {
  if (database_) {
    pool_->give_back(std::move(database_));
  }
}

ReaderPool::Loan ReaderPool::lend(Deadline deadline) {
  std::unique_ptr<Database> database;
  {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_until(lock, deadline.at(), [this] { return !paused_ && lent_ < limit_; })) {
      throw DatabaseFault({ErrorCode::Unavailable,
                           fmt::format("all readers of {} are busy", path_.string()),
                           "",
                           "unavailable",
                           std::chrono::seconds{1}});
    }
    ++lent_;
    if (!idle_.empty()) {
      database = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  try {
    if (!database) {
      database = std::make_unique<Database>(path_, mode_);
      database->run(fmt::format("PRAGMA cache_size=-{}", cache_kib_));
    }
    database->set_deadline(deadline);
  } catch (...) {
    give_back(nullptr);
    throw;
  }
  return {*this, std::move(database)};
}

void ReaderPool::give_back(std::unique_ptr<Database> database) {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (database) {
      idle_.push_back(std::move(database));
    }
  }
  returned_.notify_all();
}

void ReaderPool::close_idle() {
  std::vector<std::unique_ptr<Database>> closing;
  const std::lock_guard lock(mutex_);
  closing.swap(idle_);
}

ReaderPool::Pause::Pause(ReaderPool& pool) : pool_(pool) {
  std::unique_lock lock(pool_.mutex_);
  pool_.paused_ = true;
  pool_.returned_.wait(lock, [this] { return pool_.lent_ == 0; });
  pool_.idle_.clear();
}

ReaderPool::Pause::~Pause() {
  {
    const std::lock_guard lock(pool_.mutex_);
    pool_.paused_ = false;
  }
  pool_.returned_.notify_all();
}

}  // namespace edge::storage::sqlite
