// SPDX-License-Identifier: MIT
// A big value is written under a fresh id and never changed; its head names the id. So readers
// never see halves of two values, and writing needs no look at what was there before. The price is
// garbage: pieces whose head is replaced, deleted or was never written. For each id the store holds
// an owner entry (`kv_big`), written with the first piece; `collect` walks over the owners and
// compares them with the heads. An owner is also where the small value that its key had before is
// remembered to lie (`tidy` = false) until `collect` has removed that.
#include "core/kv/big_values.h"

#include <algorithm>
#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::kv {

using storage::Deadline;

namespace {

constexpr auto kPatience = std::chrono::seconds(10);
/// Leaves room for the names in a batch.
constexpr std::size_t kStagedBytes = storage::kMaxBatchBytes - (std::size_t{2} << 20U);
constexpr std::size_t kStagedItems = storage::kMaxBatchItems - 2;

}  // namespace

struct BigValues::Owner {
  std::string id = {};
  std::string space = {};
  std::string key = {};
  std::uint64_t bytes = 0;
  bool tidy = false;

  [[nodiscard]] std::string to_json() const {
    json::Writer out;
    out.begin_object()
        .member("namespace", space)
        .member("key", key)
        .member("bytes", bytes)
        .member("tidy", tidy)
        .end_object();
    return out.take();
  }

  static Result<Owner> read(const storage::Page::Item& item) {
    const auto document = json::Document::parse(item.entry.value, json::kStrict);
    const auto member = [&](std::string_view name) {
      return document ? document->root().find(name) : std::nullopt;
    };
    const auto space = member("namespace");
    const auto key = member("key");
    const auto bytes = member("bytes");
    const auto tidy = member("tidy");
    if (!space || !key || !bytes || !tidy) {
      return Failure({ErrorCode::Internal,
                      "the owner of a value of the key-value store is not "
                      "readable"});
    }
    return Owner{.id = item.key,
                 .space = std::string(space->as_string().value_or("")),
                 .key = std::string(key->as_string().value_or("")),
                 .bytes = bytes->as_uint64().value_or(0),
                 .tidy = tidy->as_bool().value_or(false)};
  }
};

BigValues::Staged::Staged(BigValues& owner, std::vector<std::string> staged_ids)
    : ids(std::move(staged_ids)), owner_(owner) {}

BigValues::Staged::~Staged() {
  const std::lock_guard lock(owner_.mutex_);
  for (const std::string& id : ids) {
    owner_.writing_.erase(id);
  }
}

std::vector<std::string> BigValues::reserve(std::size_t count) {
  std::vector<std::string> ids;
  ids.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(fresh_id(random_));
  }
  const std::lock_guard lock(mutex_);
  writing_.insert(ids.begin(), ids.end());
  return ids;
}

bool BigValues::is_being_written(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return writing_.contains(id);
}

Result<std::shared_ptr<const BigValues::Staged>> BigValues::stage(
    const std::string& space, const std::vector<Piece>& values) {
  auto staged = std::make_shared<const Staged>(*this, reserve(values.size()));
  storage::Batch batch;
  std::size_t bytes = 0;
  const auto flush = [&]() -> Result<void> {
    auto done = store_.commit(std::exchange(batch, {}), Deadline::in(kPatience));
    bytes = 0;
    return done ? Result<void>{} : Failure(std::move(done.error()));
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Piece& value = values[i];
    const std::string& id = staged->ids[i];
    const Owner owner{
        .id = id, .space = space, .key = std::string(value.key), .bytes = value.value.size()};
    batch.puts.push_back({big_key(id), owner.to_json()});
    bytes += batch.puts.back().value.size() + id.size();
    for (std::size_t part = 0; part < count_parts(value.value.size()); ++part) {
      std::string piece(
          value.value.substr(part * storage::kMaxValueBytes, storage::kMaxValueBytes));
      if (bytes + piece.size() > kStagedBytes || batch.puts.size() >= kStagedItems) {
        if (auto done = flush(); !done) {
          return Failure(std::move(done.error()));
        }
      }
      bytes += piece.size() + space.size() + id.size();
      batch.puts.push_back({part_key(space, id, part), std::move(piece), value.expires});
    }
  }
  if (auto done = flush(); !done) {
    return Failure(std::move(done.error()));
  }
  return staged;
}

Result<std::optional<std::string>> BigValues::read(const std::string& space,
                                                   const Head& head) const {
  std::vector<storage::Key> keys;
  for (std::size_t part = 0; part < count_parts(head.bytes); ++part) {
    keys.push_back(part_key(space, head.big, part));
  }
  const auto parts = store_.get(keys, Deadline::in(kPatience));
  if (!parts) {
    return Failure(parts.error());
  }
  std::string value;
  value.reserve(head.bytes);
  for (const auto& part : *parts) {
    if (!part) {
      return std::optional<std::string>();
    }
    value += part->value;
  }
  return std::optional(std::move(value));
}

void BigValues::add_removal(storage::Batch& batch, const std::string& space, const Head& head) {
  for (std::size_t part = 0; part < count_parts(head.bytes); ++part) {
    batch.dels.push_back({part_key(space, head.big, part)});
  }
  batch.dels.push_back({big_key(head.big)});
}

/// True when the value was garbage and has been removed. A conflict means that somebody writes the
/// key now; the next round looks again.
Result<bool> BigValues::judge(const Owner& owner, const std::optional<storage::Entry>& entry) {
  const auto head = entry ? read_head(entry->value) : Result<Head>(Head{});
  if (!head) {
    return Failure(head.error());
  }
  storage::Batch batch;
  const bool is_named = entry && head->big == owner.id;
  if (is_named && owner.tidy) {
    return false;
  }
  if (is_named || !entry) {
    batch.checks = {{head_key(owner.space, owner.key), entry ? entry->version : 0}};
    batch.dels = {{value_key(owner.space, owner.key)}};
  }
  if (is_named) {
    Owner tidied = owner;
    tidied.tidy = true;
    batch.puts = {{big_key(owner.id), tidied.to_json()}};
  } else {
    add_removal(batch, owner.space, {.bytes = owner.bytes, .big = owner.id});
  }
  auto done = store_.commit(std::move(batch), Deadline::in(kPatience));
  if (!done && done.error().reason != "conflict") {
    return Failure(std::move(done.error()));
  }
  return done && !is_named;
}

Result<std::size_t> BigValues::collect() {
  storage::Scan scan{.space = "kv_big"};
  {
    const std::lock_guard lock(mutex_);
    scan.from = next_;
  }
  const auto page = store_.scan(scan, Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  std::vector<Owner> owners;
  std::vector<storage::Key> keys;
  for (const auto& item : page->items) {
    if (is_being_written(item.key)) {
      continue;  // looked at before the heads are read: once it is written, its head is there
    }
    auto owner = Owner::read(item);
    if (!owner) {
      return Failure(std::move(owner.error()));
    }
    keys.push_back(head_key(owner->space, owner->key));
    owners.push_back(std::move(*owner));
  }
  const auto heads = store_.get(keys, Deadline::in(kPatience));
  if (!heads) {
    return Failure(heads.error());
  }
  std::size_t removed = 0;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const auto gone = judge(owners[i], (*heads)[i]);
    if (!gone) {
      return Failure(gone.error());
    }
    removed += *gone ? 1 : 0;
  }
  const std::lock_guard lock(mutex_);
  next_ = page->next.value_or("");
  return removed;
}

}  // namespace edge::kv
