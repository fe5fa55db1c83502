// SPDX-License-Identifier: MIT
#include "core/queues/queue_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <utility>

#include "core/encoding/hex.h"
#include "core/queues/records.h"

namespace edge::queues {
namespace {

using storage::Deadline;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr int kAttempts = 8;  // at a queue that others change at the same time

Error in_use() {
  return {
      ErrorCode::Unavailable, "the queue is in use, try again", {}, {}, std::chrono::seconds(1)};
}

Error exists(const std::string& name) {
  return {ErrorCode::Conflict,
          fmt::format("a queue \"{}\" exists already", name),
          "/queue_name",
          "queue_exists"};
}

}  // namespace

QueueTable::QueueTable(storage::Store& store, const Clock& clock, Random& random)
    : store_(store), clock_(clock), random_(random) {}

std::string QueueTable::fresh_id() {
  std::array<std::uint8_t, 16> octets{};
  random_.fill(octets);
  return encoding::hex_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

std::uint64_t QueueTable::removals() const {
  const std::lock_guard lock(mutex_);
  return removals_;
}

/// What was read may be older than what was written meanwhile: newer versions win, and what was
/// read before a removal does not count, or the removed queue would be back.
void QueueTable::keep(QueuePointer queue, std::uint64_t removals) {
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(queue->id);
  if (removals != removals_ ||
      (found != queues_.end() && found->second->version >= queue->version)) {
    return;
  }
  ids_[queue->name] = queue->id;
  queues_[queue->id] = std::move(queue);
}

Result<void> QueueTable::load() {
  {
    const std::lock_guard lock(mutex_);
    if (loaded_) {
      return {};
    }
  }
  const std::uint64_t seen = removals();
  storage::Scan scan{.space = "queue"};
  for (std::optional<std::string> next = ""; next;) {
    scan.resume(*next);
    const auto page = store_.scan(scan, Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    for (const auto& item : page->items) {
      auto queue = read_queue(item.key, item.entry.value);
      if (!queue) {
        return Failure(std::move(queue.error()));
      }
      queue->version = item.entry.version;
      keep(std::make_shared<const Queue>(std::move(*queue)), seen);
    }
    next = page->next;
  }
  const std::lock_guard lock(mutex_);
  loaded_ = seen == removals_;
  return {};
}

Result<std::vector<QueuePointer>> QueueTable::list() {
  if (auto ready = load(); !ready) {
    return Failure(std::move(ready.error()));
  }
  std::vector<QueuePointer> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, id] : ids_) {
    all.push_back(queues_.at(id));
  }
  return all;
}

QueuePointer QueueTable::known(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(id);
  return found == queues_.end() ? nullptr : found->second;
}

Result<QueuePointer> QueueTable::find(std::string_view id_or_name) {
  if (auto ready = load(); !ready) {
    return Failure(std::move(ready.error()));
  }
  const std::lock_guard lock(mutex_);
  if (const auto by_id = queues_.find(std::string(id_or_name)); by_id != queues_.end()) {
    return by_id->second;
  }
  const auto by_name = ids_.find(id_or_name);
  return by_name == ids_.end() ? Result<QueuePointer>(Failure(queue_not_found(id_or_name)))
                               : queues_.at(by_name->second);
}

/// What the store has; memory is brought up to that.
Result<QueuePointer> QueueTable::reread(const std::string& id) {
  const std::uint64_t seen = removals();
  const auto stored = store_.get(queue_key(id), Deadline::in(kPatience));
  if (!stored) {
    return Failure(stored.error());
  }
  if (!*stored) {
    return Failure(queue_not_found(id));
  }
  auto queue = read_queue(id, (*stored)->value);
  if (!queue) {
    return Failure(std::move(queue.error()));
  }
  queue->version = (*stored)->version;
  auto pointer = std::make_shared<const Queue>(std::move(*queue));
  keep(pointer, seen);
  return pointer;
}

/// Stores the queue along with the batch. Memory changes inside the commit's callback: a commit
/// that was refused because of this one finds the new version there.
Result<QueuePointer> QueueTable::write(storage::Batch batch, Queue queue) {
  batch.puts.insert(batch.puts.begin(), {queue_key(queue.id), to_json(queue)});
  const auto outcome = std::make_shared<std::promise<Result<QueuePointer>>>();
  auto ready = outcome->get_future();
  store_.commit(
      std::move(batch),
      Deadline::in(kPatience),
      [this, outcome, queue = std::move(queue)](Result<storage::Receipt> receipt) mutable {
        if (!receipt) {
          return outcome->set_value(Failure(std::move(receipt.error())));
        }
        queue.version = receipt->versions.front();
        auto pointer = std::make_shared<const Queue>(std::move(queue));
        keep(pointer, removals());
        outcome->set_value(std::move(pointer));
      });
  return ready.get();
}

Result<QueuePointer> QueueTable::create(const std::string& name, const Settings& settings) {
  auto ready = check_name(name);
  ready = ready ? load() : ready;
  if (!ready) {
    return Failure(std::move(ready.error()));
  }
  {
    const std::lock_guard lock(mutex_);
    if (queues_.size() >= kMaxQueues) {
      return Failure({ErrorCode::Conflict,
                      fmt::format("there are {} queues already, that is the most", kMaxQueues),
                      {},
                      "too_many_queues"});
    }
  }
  const std::int64_t now = to_ms(clock_.now());
  const std::string id = fresh_id();
  storage::Batch batch;
  batch.checks = {{name_key(name), 0}, {queue_key(id), 0}};
  batch.puts = {{name_key(name), id}};
  auto made =
      write(std::move(batch),
            {.id = id, .name = name, .created = now, .modified = now, .settings = settings});
  if (!made && made.error().reason == "conflict") {
    return Failure(exists(name));
  }
  return made;
}

Result<QueuePointer> QueueTable::ensure(const std::string& name) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto found = find(name);
    if (found || found.error().code != ErrorCode::NotFound) {
      return found;
    }
    auto made = create(name, {});
    if (made || made.error().reason != "queue_exists") {
      return made;
    }
  }
  return Failure(in_use());
}

Result<QueuePointer> QueueTable::change(const std::string& id, const Change& change) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = reread(id);
    if (!before) {
      return before;
    }
    Queue after = **before;
    if (auto done = change(after); !done) {
      return Failure(std::move(done.error()));
    }
    after.modified = to_ms(clock_.now());
    storage::Batch batch;
    batch.checks = {{queue_key(id), (*before)->version}};
    auto written = write(std::move(batch), std::move(after));
    if (written || written.error().reason != "conflict") {
      return written;
    }
  }
  return Failure(in_use());
}

Result<QueuePointer> QueueTable::purge(const std::string& id) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = reread(id);
    if (!before) {
      return before;
    }
    Queue after = **before;
    ++after.generation;
    after.purged = to_ms(clock_.now());
    storage::Batch batch;
    batch.checks = {{queue_key(id), (*before)->version}};
    batch.puts = {{gone_key(due_queue(**before)), "{}"}};
    auto written = write(std::move(batch), std::move(after));
    if (written || written.error().reason != "conflict") {
      return written;
    }
  }
  return Failure(in_use());
}

Result<void> QueueTable::remove(const std::string& id) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = reread(id);
    if (!before) {
      return Failure(before.error());
    }
    storage::Batch batch;
    batch.checks = {{queue_key(id), (*before)->version}};
    batch.puts = {{gone_key(due_queue(**before)), "{}"}};
    batch.dels = {{queue_key(id)}, {name_key((*before)->name)}};
    const auto outcome = std::make_shared<std::promise<Result<void>>>();
    auto ready = outcome->get_future();
    store_.commit(std::move(batch),
                  Deadline::in(kPatience),
                  [this, outcome, queue = *before](Result<storage::Receipt> receipt) {
                    if (!receipt) {
                      return outcome->set_value(Failure(std::move(receipt.error())));
                    }
                    {
                      const std::lock_guard lock(mutex_);
                      ++removals_;
                      queues_.erase(queue->id);
                      ids_.erase(queue->name);
                    }
                    outcome->set_value({});
                  });
    auto done = ready.get();
    if (done || done.error().reason != "conflict") {
      return done;
    }
  }
  return Failure(in_use());
}

}  // namespace edge::queues
