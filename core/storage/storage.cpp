// SPDX-License-Identifier: MIT
#include "core/storage/storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace edge::storage {
namespace {

constexpr std::size_t kMaxPartBytes = 512;
constexpr std::size_t kMaxKeyBytes = 2'048;
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxIntervals = 256;

Error bad(std::string message, std::string field) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), "bad_request"};
}

Error too_large(std::string message, std::string field) {
  return {ErrorCode::TooLarge, std::move(message), std::move(field), "too_large"};
}

std::size_t bytes_of(const Key& key) {
  return key.space.size() + key.part.size() + key.key.size();
}

std::size_t bytes_of(const NewRecord& record) {
  return record.source.size() + record.id.size() + record.user.size() + record.name.size() +
         record.body.size();
}

std::optional<Error> violation(const Key& key, std::string field) {
  if (!is_space_name(key.space)) {
    return bad(fmt::format("'{}' is not a name of a space", key.space), std::move(field));
  }
  if (key.part.size() > kMaxPartBytes || key.key.empty() || key.key.size() > kMaxKeyBytes) {
    return bad("a part has at most 512 octets, a key 1 to 2048", std::move(field));
  }
  return std::nullopt;
}

std::optional<Error> name_violation(const std::string& name, std::string field) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    return bad("a name has 1 to 255 octets", std::move(field));
  }
  return std::nullopt;
}

std::optional<Error> size_violation(std::size_t bytes, std::string field) {
  if (bytes > kMaxValueBytes) {
    return too_large(
        fmt::format("a value has at most {} octets, this one {}", kMaxValueBytes, bytes),
        std::move(field));
  }
  return std::nullopt;
}

std::optional<Error> key_violation(const Batch& batch) {
  std::size_t index = 0;
  const auto all = [&index](const auto& changes, std::string_view list) -> std::optional<Error> {
    index = 0;
    for (const auto& change : changes) {
      if (auto error = violation(change.key, fmt::format("/{}/{}", list, index++))) {
        return error;
      }
    }
    return std::nullopt;
  };
  auto error = all(batch.checks, "checks");
  error = error ? error : all(batch.puts, "puts");
  error = error ? error : all(batch.dels, "dels");
  error = error ? error : all(batch.adds, "adds");
  for (std::size_t i = 0; !error && i < batch.puts.size(); ++i) {
    error = size_violation(batch.puts[i].value.size(), fmt::format("/puts/{}", i));
  }
  return error;
}

std::optional<Error> append_violation(const Batch& batch) {
  for (std::size_t i = 0; i < batch.appends.size(); ++i) {
    if (auto error = name_violation(batch.appends[i].stream, fmt::format("/appends/{}", i))) {
      return error;
    }
    for (const NewRecord& record : batch.appends[i].records) {
      if (auto error = size_violation(bytes_of(record), fmt::format("/appends/{}", i))) {
        return error;
      }
    }
  }
  return std::nullopt;
}

std::optional<Error> due_violation(const Batch& batch) {
  std::optional<Error> error;
  for (std::size_t i = 0; !error && i < batch.dues.size(); ++i) {
    const std::string field = fmt::format("/dues/{}", i);
    error = name_violation(batch.dues[i].queue, field);
    error = error ? error : size_violation(batch.dues[i].body.size(), field);
  }
  for (std::size_t i = 0; !error && i < batch.settles.size(); ++i) {
    const Settle& settle = batch.settles[i];
    const std::string field = fmt::format("/settles/{}", i);
    error = size_violation(settle.body.size(), field);
    if (!error && settle.outcome == Settle::Outcome::Move) {
      error = name_violation(settle.to, field);
    }
  }
  for (std::size_t i = 0; !error && i < batch.advances.size(); ++i) {
    const std::string field = fmt::format("/advances/{}", i);
    error = name_violation(batch.advances[i].consumer, field);
    if (!error && batch.advances[i].position.ahead.size() > kMaxIntervals) {
      error = bad(fmt::format("a position has at most {} intervals ahead", kMaxIntervals), field);
    }
  }
  return error;
}

std::size_t items_of(const Batch& batch) {
  std::size_t items = batch.checks.size() + batch.puts.size() + batch.dels.size() +
                      batch.adds.size() + batch.dues.size() + batch.settles.size() +
                      batch.advances.size();
  for (const Append& append : batch.appends) {
    items += append.records.size();
  }
  return items;
}

bool is_mixed(const Batch& batch) {
  const bool state = !batch.checks.empty() || !batch.puts.empty() || !batch.dels.empty() ||
                     !batch.adds.empty() || !batch.dues.empty() || !batch.settles.empty() ||
                     !batch.advances.empty();
  return state && !batch.appends.empty();
}

}  // namespace

Scan Scan::prefix(std::string space, std::string part, std::string prefix) {
  Scan scan{.space = std::move(space), .part = std::move(part), .from = prefix};
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) {
    prefix.pop_back();
  }
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  scan.to = std::move(prefix);
  return scan;
}

void Scan::resume(const std::string& next) {
  (reverse ? to : from) = next;
}

Result<Receipt> Store::commit(Batch batch, Deadline deadline) {
  struct Wait {
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<Result<Receipt>> outcome;  // guarded by mutex
  };
  const auto wait = std::make_shared<Wait>();
  commit(std::move(batch), deadline, [wait](Result<Receipt> outcome) {
    const std::lock_guard lock(wait->mutex);
    wait->outcome = std::move(outcome);
    wait->ready.notify_one();
  });
  std::unique_lock lock(wait->mutex);
  // Not until the deadline: an engine that has begun must say how it ended, and it drops what it
  // begins too late.
  wait->ready.wait(lock, [&wait] { return wait->outcome.has_value(); });
  return std::move(*wait->outcome);
}

Result<std::optional<Entry>> Store::get(const Key& key, Deadline deadline) {
  auto entries = get(std::span<const Key>(&key, 1), deadline);
  if (!entries) {
    return Failure(entries.error());
  }
  return std::move(entries->front());
}

bool is_space_name(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= 32 && is_letter(name.front()) &&
         std::ranges::all_of(
             name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::size_t bytes_of(const Batch& batch) {
  std::size_t bytes = 0;
  for (const Check& check : batch.checks) {
    bytes += bytes_of(check.key);
  }
  for (const Put& put : batch.puts) {
    bytes += bytes_of(put.key) + put.value.size();
  }
  for (const Del& del : batch.dels) {
    bytes += bytes_of(del.key);
  }
  for (const Add& add : batch.adds) {
    bytes += bytes_of(add.key);
  }
  for (const Append& append : batch.appends) {
    for (const NewRecord& record : append.records) {
      bytes += bytes_of(record);
    }
  }
  for (const Enqueue& due : batch.dues) {
    bytes += due.id.size() + due.order_key.size() + due.body.size();
  }
  for (const Settle& settle : batch.settles) {
    bytes += settle.body.size();
  }
  return bytes;
}

std::optional<Error> violation(const Batch& batch) {
  if (is_mixed(batch)) {
    return bad("a batch appends to logs or changes state, not both", "");
  }
  if (items_of(batch) > kMaxBatchItems) {
    return too_large(fmt::format("a batch has at most {} changes", kMaxBatchItems), "");
  }
  if (bytes_of(batch) > kMaxBatchBytes) {
    return too_large(fmt::format("a batch has at most {} octets", kMaxBatchBytes), "");
  }
  auto error = key_violation(batch);
  error = error ? error : append_violation(batch);
  return error ? error : due_violation(batch);
}

}  // namespace edge::storage
