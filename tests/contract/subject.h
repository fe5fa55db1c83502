// SPDX-License-Identifier: MIT
// What every case of the conformance suite works on: one store of each kind, with a clock that the
// case moves.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/storage/open.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"

namespace edge::test {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): durations of tests

inline storage::Deadline soon() {
  return storage::Deadline::in(60s);  // a disk that others use may be slow
}

/// A store named "memory" or "sqlite". One thread only; the store itself is thread-safe.
class Subject {
 public:
  explicit Subject(const std::string& kind, storage::Options options = {}) : options_(options) {
    if (kind == "memory") {
      store_ = std::make_unique<MemoryStore>(clock);
      return;
    }
    open();
  }

  /// Closes the store and opens it again; the one in memory just goes on.
  void reopen() {
    if (directory_) {
      store_.reset();
      open();
    }
  }
  storage::Store& operator*() { return *store_; }
  storage::Store* operator->() { return store_.get(); }
  [[nodiscard]] std::string directory() const { return *directory_ / "data"; }

  FakeClock clock;

 private:
  void open() {
    if (!directory_) {
      directory_ = std::make_unique<TempDir>();
    }
    auto opened = storage::open("sqlite:" + directory(), options_, clock, random_);
    if (!opened) {
      throw std::runtime_error(opened.error().message);
    }
    store_ = std::move(*opened);
  }

  storage::Options options_;
  SeededRandom random_{7};
  std::unique_ptr<TempDir> directory_;
  std::unique_ptr<storage::Store> store_;
};

inline storage::Batch appending(std::vector<std::string> ids, const std::string& source = "web") {
  storage::Append append{.stream = "events", .lane = 0};
  for (std::string& id : ids) {
    append.records.push_back(
        {.source = source, .id = std::move(id), .at = 1'000, .kind = 1, .body = "{}"});
  }
  storage::Batch batch;
  batch.appends.push_back(std::move(append));
  return batch;
}

inline storage::Batch putting(storage::Key key, std::string value, std::int64_t expires = 0) {
  storage::Batch batch;
  batch.puts.push_back({std::move(key), std::move(value), expires});
  return batch;
}

/// Ids of all records after an offset, read page by page.
inline std::vector<std::string> ids_after(storage::Store& store,
                                          std::uint64_t after,
                                          std::size_t page = 4'096) {
  std::vector<std::string> ids;
  for (;;) {
    const auto slice =
        store.read({.stream = "events", .lane = 0, .after = after, .max_records = page}, soon());
    if (!slice) {
      throw std::runtime_error(slice.error().message);
    }
    if (slice->records.empty()) {
      return ids;
    }
    for (const storage::RecordPointer& record : slice->records) {
      ids.push_back(record->id);
    }
    after = slice->reached;
  }
}

}  // namespace edge::test
