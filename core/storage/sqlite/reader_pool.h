// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "core/storage/sqlite/database.h"

namespace edge::storage::sqlite {

/// Reading connections to one file. Thread-safe.
class ReaderPool {
 public:
  /// `cache_kib` bounds the pages that each of at most `limit` connections keeps in memory.
  ReaderPool(std::filesystem::path path, Database::Mode mode, std::size_t limit, int cache_kib)
      : path_(std::move(path)), mode_(mode), limit_(limit), cache_kib_(cache_kib) {}

  /// A connection lent until the end of the scope.
  class Loan {
   public:
    Loan(ReaderPool& pool, std::unique_ptr<Database> database)
        : pool_(&pool), database_(std::move(database)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Loan(Loan&& other) = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan();
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_.get(); }

   private:
    ReaderPool* pool_;
    std::unique_ptr<Database> database_;
  };

  /// Waits while all are lent; throws `unavailable` when the deadline passes. Statements of the
  /// loan end at the deadline too.
  Loan lend(Deadline deadline);

  /// Waits until nothing is lent, closes everything, runs `change` (nobody else of this process has
  /// the file open), and lends in `mode` from then on.
  template <typename Change>
  void exclusively(Database::Mode mode, Change change) {
    const Pause pause(*this);
    change();
    mode_ = mode;
  }

  void close_idle();

 private:
  /// Keeps the pool closed for its lifetime.
  class Pause {
   public:
    explicit Pause(ReaderPool& pool);
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    Pause(Pause&&) = delete;
    Pause& operator=(Pause&&) = delete;
    ~Pause();

   private:
    ReaderPool& pool_;
  };
  void give_back(std::unique_ptr<Database> database);

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable returned_;
  Database::Mode mode_;  // changed only while paused
  const std::size_t limit_;
  const int cache_kib_;
  std::size_t lent_ = 0;                         // guarded by mutex_
  bool paused_ = false;                          // guarded by mutex_
  std::vector<std::unique_ptr<Database>> idle_;  // guarded by mutex_
};

}  // namespace edge::storage::sqlite
