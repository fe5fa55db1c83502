// SPDX-License-Identifier: MIT
#include "core/kv/kv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>

#include "core/encoding/base64.h"

namespace edge::kv {
namespace {

using storage::Deadline;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr int kLooks = 8;  // at a key whose big value is replaced while it is read

Error key_not_found(std::string_view key) {
  return {ErrorCode::NotFound, fmt::format("there is no key \"{}\"", key), {}, "key_not_found"};
}

Error too_many_keys(std::size_t most, std::size_t given) {
  return {ErrorCode::InvalidArgument,
          fmt::format("at most {} keys in one request, not {}", most, given),
          {},
          "too_many_keys"};
}

Error in_use() {
  return {ErrorCode::Unavailable, "the key is in use, try again", {}, {}, std::chrono::seconds(1)};
}

/// Keeps the last of equal keys.
void drop_replaced(std::vector<Write>& writes) {
  std::map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    last[writes[i].key] = i;
  }
  if (last.size() == writes.size()) {
    return;
  }
  std::vector<Write> kept;
  kept.reserve(last.size());
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (last[writes[i].key] == i) {
      kept.push_back({writes[i].key, std::move(writes[i].entry)});  // `last` views the key
    }
  }
  writes = std::move(kept);
}

Result<void> check(const std::vector<Write>& writes) {
  if (writes.size() > kMaxBulkEntries) {
    return Failure(too_many_keys(kMaxBulkEntries, writes.size()));
  }
  for (const Write& write : writes) {
    if (auto fits = check_key(write.key); !fits) {
      return fits;
    }
    if (auto fits = check_value(write.entry.value.size()); !fits) {
      return fits;
    }
  }
  return {};
}

/// Which values do not fit into one batch with all heads, largest first; the largest go aside until
/// the rest fits.
std::vector<std::size_t> too_big(const std::vector<Write>& writes, const std::string& space) {
  constexpr std::size_t kHeadBytes = 96;  // of its JSON but for the metadata
  constexpr std::size_t kNameBytes = 16;  // names of spaces
  std::size_t bytes = kNameBytes;
  for (const Write& write : writes) {
    bytes += 2 * (kNameBytes + space.size() + write.key.size()) + kHeadBytes +
             write.entry.metadata.size() + write.entry.value.size();
  }
  std::size_t items = 1 + 2 * writes.size();
  std::vector<std::size_t> order(writes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, std::ranges::greater{}, [&](std::size_t i) { return writes[i].entry.value.size(); });
  std::size_t count = 0;
  for (; count < order.size(); ++count) {
    const Write& write = writes[order[count]];
    if (write.entry.value.size() <= storage::kMaxValueBytes && bytes <= storage::kMaxBatchBytes &&
        items <= storage::kMaxBatchItems) {
      break;
    }
    bytes -= write.entry.value.size() + kNameBytes + space.size() + write.key.size();
    --items;
  }
  order.resize(count);
  return order;
}

/// Calls a function with a callback and waits for it.
template <typename Start>
Result<void> wait_for(const Start& start) {
  const auto outcome = std::make_shared<std::promise<Result<void>>>();
  auto ready = outcome->get_future();
  start([outcome](Result<void> done) { outcome->set_value(std::move(done)); });
  return ready.get();
}

}  // namespace

std::string cursor_behind(std::string_view key) {
  return encoding::base64url_encode(key);
}

Kv::Kv(storage::Store& store, Random& random, std::vector<Namespace> builtin)
    : namespaces(store, random, std::move(builtin)), store_(store), big_values_(store, random) {}

Result<std::optional<Entry>> Kv::look(const std::string& space, const std::string& key) const {
  const std::array keys{head_key(space, key), value_key(space, key)};
  for (int attempt = 0; attempt < kLooks; ++attempt) {
    auto found = store_.get(keys, Deadline::in(kPatience));
    if (!found) {
      return Failure(std::move(found.error()));
    }
    const std::optional<storage::Entry>& stored = (*found)[0];
    if (!stored) {
      return std::optional<Entry>();
    }
    const auto head = read_head(stored->value);
    if (!head) {
      return Failure(head.error());
    }
    Entry entry{.metadata = head->metadata, .expires = stored->expires};
    if (head->big.empty()) {
      if (!(*found)[1]) {
        return Failure({ErrorCode::Internal, "the value of a key is missing in the store"});
      }
      entry.value = std::move((*found)[1]->value);
      return std::optional(std::move(entry));
    }
    auto value = big_values_.read(space, *head);
    if (!value) {
      return Failure(std::move(value.error()));
    }
    if (*value) {
      entry.value = std::move(**value);
      return std::optional(std::move(entry));
    }
  }
  return Failure(in_use());
}

Result<Entry> Kv::read(const std::string& space, const std::string& key) const {
  if (auto fits = check_key(key); !fits) {
    return Failure(std::move(fits.error()));
  }
  auto entry = look(space, key);
  if (!entry) {
    return Failure(std::move(entry.error()));
  }
  return *entry ? Result<Entry>(std::move(**entry)) : Failure(key_not_found(key));
}

Result<Entry> Kv::describe(const std::string& space, const std::string& key) const {
  if (auto fits = check_key(key); !fits) {
    return Failure(std::move(fits.error()));
  }
  const auto stored = store_.get(head_key(space, key), Deadline::in(kPatience));
  if (!stored) {
    return Failure(stored.error());
  }
  if (!*stored) {
    return Failure(key_not_found(key));
  }
  return read_head((*stored)->value).map([&](Head&& head) {
    return Entry{.metadata = std::move(head.metadata), .expires = (*stored)->expires};
  });
}

Result<std::vector<std::optional<Entry>>> Kv::read(const std::string& space,
                                                   const std::vector<std::string>& keys) const {
  if (keys.size() > kMaxBulkKeys) {
    return Failure(too_many_keys(kMaxBulkKeys, keys.size()));
  }
  for (const std::string& key : keys) {
    if (auto fits = check_key(key); !fits) {
      return Failure(std::move(fits.error()));
    }
  }
  std::vector<std::optional<Entry>> entries;
  std::size_t bytes = 0;
  for (const std::string& key : keys) {
    auto entry = look(space, key);
    if (!entry) {
      return Failure(std::move(entry.error()));
    }
    bytes += *entry ? (*entry)->value.size() : 0;
    if (bytes > kMaxValueBytes) {
      return Failure({ErrorCode::TooLarge,
                      fmt::format("these values have more than {} octets together, ask for fewer",
                                  kMaxValueBytes),
                      {},
                      "value_too_large"});
    }
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<Listing> Kv::list(const std::string& space, const ListQuery& query) const {
  auto scan = storage::Scan::prefix("kv", space, query.prefix);
  scan.limit = std::clamp<std::size_t>(query.limit, 1, kMaxPageKeys);
  if (!query.cursor.empty()) {
    const auto last = encoding::base64url_decode(query.cursor);
    if (!last || !check_key(*last)) {
      return Failure(
          {ErrorCode::InvalidArgument, "the cursor is not one of this list", {}, "bad_cursor"});
    }
    scan.from = std::max(scan.from, *last + '\0');
  }
  const auto page = store_.scan(scan, Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  Listing listing;
  for (const auto& item : page->items) {
    auto head = read_head(item.entry.value);
    if (!head) {
      return Failure(std::move(head.error()));
    }
    listing.keys.push_back({item.key, item.entry.expires, std::move(head->metadata), head->bytes});
  }
  if (page->next) {
    listing.cursor = cursor_behind(listing.keys.back().name);
  }
  return listing;
}

/// Who writes one big value over another removes that at once, so that the store does not grow by
/// each; everything else waits for `sweep`. Nothing can name the old value again.
Result<void> Kv::replace_old(const std::string& space,
                             const std::vector<Write>& writes,
                             storage::Batch& batch) const {
  if (writes.size() != 1) {
    return {};
  }
  const auto stored = store_.get(head_key(space, writes.front().key), Deadline::in(kPatience));
  const auto head = stored && *stored ? read_head((*stored)->value) : Result<Head>(Head{});
  if (!stored || !head) {
    return Failure(stored ? head.error() : stored.error());
  }
  if (!head->big.empty()) {
    BigValues::add_removal(batch, space, *head);
  }
  return {};
}

/// Puts the writes into the batch; values that do not fit are written aside first.
Result<std::shared_ptr<const BigValues::Staged>> Kv::fill(const std::string& space,
                                                          std::vector<Write>& writes,
                                                          storage::Batch& batch) {
  const std::vector<std::size_t> aside = too_big(writes, space);
  std::vector<std::string> ids(writes.size());
  std::shared_ptr<const BigValues::Staged> staged;
  if (!aside.empty()) {
    if (auto done = replace_old(space, writes, batch); !done) {
      return Failure(std::move(done.error()));
    }
    std::vector<BigValues::Piece> pieces;
    pieces.reserve(aside.size());
    for (const std::size_t i : aside) {
      pieces.push_back({writes[i].key, writes[i].entry.value, writes[i].entry.expires});
    }
    auto done = big_values_.stage(space, pieces);
    if (!done) {
      return Failure(std::move(done.error()));
    }
    staged = std::move(*done);
    for (std::size_t i = 0; i < aside.size(); ++i) {
      ids[aside[i]] = staged->ids[i];
    }
  }
  for (std::size_t i = 0; i < writes.size(); ++i) {
    Entry& entry = writes[i].entry;
    const Head head{
        .bytes = entry.value.size(), .big = ids[i], .metadata = std::move(entry.metadata)};
    batch.puts.push_back({head_key(space, writes[i].key), to_json(head), entry.expires});
    if (ids[i].empty()) {
      batch.puts.push_back(
          {value_key(space, writes[i].key), std::move(entry.value), entry.expires});
    }
  }
  return staged;
}

void Kv::write(const std::string& space, std::vector<Write> writes, const Done& done) {
  if (auto fits = check(writes); !fits) {
    return done(std::move(fits));
  }
  auto guard = namespaces.guard(space);
  if (!guard) {
    return done(Failure(std::move(guard.error())));
  }
  drop_replaced(writes);
  storage::Batch batch;
  if (*guard) {
    batch.checks.push_back(**guard);
  }
  auto staged = fill(space, writes, batch);
  if (!staged) {
    return done(Failure(std::move(staged.error())));
  }
  store_.commit(
      std::move(batch),
      Deadline::in(kPatience),
      [space, done, staged = std::move(*staged)](Result<storage::Receipt> receipt) mutable {
        staged.reset();
        if (receipt) {
          return done({});
        }
        done(Failure(receipt.error().reason == "conflict" ? namespace_not_found(space)
                                                          : std::move(receipt.error())));
      });
}

void Kv::erase(const std::string& space, const std::vector<std::string>& keys, const Done& done) {
  if (keys.size() > kMaxBulkEntries) {
    return done(Failure(too_many_keys(kMaxBulkEntries, keys.size())));
  }
  storage::Batch batch;
  for (const std::string& key : keys) {
    if (auto fits = check_key(key); !fits) {
      return done(std::move(fits));
    }
    batch.dels.push_back({head_key(space, key)});
    batch.dels.push_back({value_key(space, key)});
  }
  // No check of the namespace: 10,000 keys fill a batch, and removing harms nobody.
  if (auto guard = namespaces.guard(space); !guard) {
    return done(Failure(std::move(guard.error())));
  }
  store_.commit(
      std::move(batch), Deadline::in(kPatience), [done](Result<storage::Receipt> receipt) {
        done(receipt ? Result<void>{} : Failure(std::move(receipt.error())));
      });
}

Result<void> Kv::write(const std::string& space, std::vector<Write> writes) {
  return wait_for([&](const Done& done) { write(space, std::move(writes), done); });
}

Result<void> Kv::erase(const std::string& space, const std::vector<std::string>& keys) {
  return wait_for([&](const Done& done) { erase(space, keys, done); });
}

Result<std::size_t> Kv::sweep() {
  const auto leftovers = namespaces.remove_leftovers();
  const auto values = leftovers ? big_values_.collect() : leftovers;
  return values ? Result<std::size_t>(*leftovers + *values) : Failure(values.error());
}

}  // namespace edge::kv
