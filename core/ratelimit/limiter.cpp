// SPDX-License-Identifier: MIT
#include "core/ratelimit/limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/encoding/hex.h"
#include "core/json/document.h"

namespace edge::ratelimit {
namespace {

constexpr const char* kSpace = "ratelimit";
constexpr const char* kCounts = "counts";
constexpr std::chrono::seconds kPatience{5};

storage::Key hash_key_entry() {
  return {.space = kSpace, .part = "meta", .key = "hash_key"};
}

std::string octets_of(const Table::Id& id) {
  std::string octets(sizeof id, '\0');
  std::memcpy(octets.data(), &id, sizeof id);
  return octets;
}

storage::Key entry_of(const Table::Id& id) {
  return {.space = kSpace, .part = kCounts, .key = encoding::hex_encode(octets_of(id))};
}

struct Saved {
  Table::Id id = {};
  Count count = {};
};

/// Nothing for an entry that is none of ours.
std::optional<Saved> read_entry(const std::string& key, const std::string& value) {
  const auto octets = encoding::hex_decode(key);
  const auto document = json::Document::parse(value, json::kStrict);
  if (!octets || octets->size() != sizeof(Table::Id) || !document || document->root().size() != 3) {
    return std::nullopt;
  }
  const auto number = [&](std::uint32_t index) {
    return document->root().at(index)->as_int64().value_or(-1);
  };
  Saved saved{.count = {.at_us = number(0),
                        .part = static_cast<std::uint32_t>(number(1)),
                        .per = static_cast<std::uint32_t>(number(2))}};
  std::memcpy(&saved.id, octets->data(), octets->size());
  return number(0) < 0 || number(1) < 0 || number(2) < 1 ? std::nullopt : std::optional(saved);
}

}  // namespace

Limiter::Limiter(storage::Store& store, const Clock& clock, Random& random, std::size_t most_keys)
    : store_(store), clock_(clock) {
  random.fill(hash_key_);
  for (auto& shard : shards_) {
    shard = std::make_unique<Shard>(std::max<std::size_t>(most_keys / kShards, 1));
  }
}

Result<const Limit*> Limiter::find(std::string_view name) const {
  const auto found = std::ranges::find(limits_, name, &Limit::name);
  if (found == limits_.end()) {
    return Failure({ErrorCode::NotFound, fmt::format("there is no limit \"{}\"", name)});
  }
  return &*found;
}

Table::Id Limiter::id_of(const Limit& limit, std::string_view key) const {
  std::string text;
  text.reserve(limit.counters.size() + key.size() + 16);
  text.append(limit.counters)
      .append(1, '\0')
      .append(name_of(limit.quota.algorithm))
      .append(fmt::format_int(limit.quota.period.count()).c_str())
      .append(1, '\0')
      .append(key);
  return crypto::keyed_hash(text, hash_key_);
}

Verdict Limiter::check(const Limit& limit, std::string_view key, std::uint64_t cost) {
  if (limit.quota.limit == 0) {
    return {};
  }
  const Table::Id id = id_of(limit, key);
  const Time now = clock_.now();
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  if (cost == 0) {
    const Count* known = shard.table.find(id);
    Count copy = known != nullptr ? *known : Count{};
    return count(copy, limit.quota, 0, now);
  }
  Count& state = shard.table.touch(id);
  const Verdict verdict = count(state, limit.quota, cost, now);
  if (verdict.allowed) {
    shard.table.changed(id, idle_from(state, limit.quota));
  }
  return verdict;
}

bool Limiter::reset(const Limit& limit, std::string_view key) {
  const Table::Id id = id_of(limit, key);
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  return shard.table.erase(id);
}

std::size_t Limiter::size() const {
  std::size_t total = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    total += shard->table.size();
  }
  return total;
}

Result<void> Limiter::load_hash_key(bool read_only) {
  const auto deadline = storage::Deadline::in(kPatience);
  const auto found = store_.get(hash_key_entry(), deadline);
  if (!found) {
    return Failure(found.error());
  }
  if (const auto octets = *found ? encoding::hex_decode((*found)->value) : std::nullopt;
      octets && octets->size() == hash_key_.size()) {
    std::ranges::copy(*octets, hash_key_.begin());
    return {};
  }
  if (read_only) {
    return {};
  }
  const std::string octets(hash_key_.begin(), hash_key_.end());
  storage::Batch batch;
  batch.puts.push_back({.key = hash_key_entry(), .value = encoding::hex_encode(octets)});
  return store_.commit(std::move(batch), deadline).map([](const storage::Receipt&) {});
}

Result<void> Limiter::load(bool read_only) {
  if (auto loaded = load_hash_key(read_only); !loaded) {
    return loaded;
  }
  storage::Scan scan{.space = kSpace, .part = kCounts};
  while (true) {
    const auto page = store_.scan(scan, storage::Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    for (const auto& item : page->items) {
      if (const auto saved = read_entry(item.key, item.entry.value)) {
        Shard& shard = shard_of(saved->id);
        const std::lock_guard lock(shard.mutex);
        shard.table.restore(saved->id, saved->count, from_ms(item.entry.expires));
      }
    }
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

Result<bool> Limiter::save(std::size_t most) {
  std::vector<Table::Change> changes;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    shard->table.take_changes(most / kShards + 1, changes);
  }
  if (changes.empty()) {
    return false;
  }
  storage::Batch batch;
  for (const Table::Change& change : changes) {
    if (change.removed) {
      batch.dels.push_back({entry_of(change.id)});
    } else {
      batch.puts.push_back(
          {.key = entry_of(change.id),
           .value =
               fmt::format("[{},{},{}]", change.count.at_us, change.count.part, change.count.per),
           .expires = to_ms(change.idle_from)});
    }
  }
  const auto receipt = store_.commit(std::move(batch), storage::Deadline::in(kPatience));
  return receipt ? Result<bool>(changes.size() >= most) : Failure(receipt.error());
}

}  // namespace edge::ratelimit
