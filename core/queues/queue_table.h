// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/queues/queue.h"
#include "core/storage/storage.h"

namespace edge::queues {

/// Which queues there are. They are kept in memory too, so that sending reads nothing: what is in
/// memory may be old only for a moment, and batches check the version of the queue they are for.
/// Thread-safe; calls wait for the store unless they say otherwise.
///
/// Failures: NotFound, reason `queue_not_found`; Conflict, reasons `queue_exists`,
/// `too_many_queues` (10,000); InvalidArgument, reason `bad_name`; those of the store.
class QueueTable {
 public:
  QueueTable(storage::Store& store, const Clock& clock, Random& random);

  /// All, in order of their names.
  Result<std::vector<QueuePointer>> list();
  /// By id, else by name.
  Result<QueuePointer> find(std::string_view id_or_name);
  Result<QueuePointer> create(const std::string& name, const Settings& settings);
  /// The queue of that name, made when there is none.
  Result<QueuePointer> ensure(const std::string& name);
  /// Changes settings and consumer; id, name and times are the table's. `change` may be called
  /// several times; its failure is given back.
  using Change = std::function<Result<void>(Queue& queue)>;
  Result<QueuePointer> change(const std::string& id, const Change& change);
  /// What is in it is gone at once, for good; what is sent from then on is not.
  Result<QueuePointer> purge(const std::string& id);
  Result<void> remove(const std::string& id);

  /// As it is in memory, null when there is none; does not wait. For who was told that a version
  /// has passed.
  [[nodiscard]] QueuePointer known(const std::string& id) const;
  /// A fresh id, 32 lower-case hexadecimal digits.
  std::string fresh_id();

 private:
  Result<void> load();
  Result<QueuePointer> reread(const std::string& id);
  Result<QueuePointer> write(storage::Batch batch, Queue queue);
  void keep(QueuePointer queue, std::uint64_t removals);
  [[nodiscard]] std::uint64_t removals() const;

  storage::Store& store_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  bool loaded_ = false;                                  // guarded by mutex_
  std::uint64_t removals_ = 0;                           // guarded by mutex_
  std::map<std::string, QueuePointer> queues_;           // by id; guarded by mutex_
  std::map<std::string, std::string, std::less<>> ids_;  // by name; guarded by mutex_
};

}  // namespace edge::queues
