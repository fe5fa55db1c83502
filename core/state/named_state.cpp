// SPDX-License-Identifier: MIT
#include "core/state/named_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/state/names.h"

namespace edge::state {
namespace {

using storage::Deadline;

constexpr auto kPatience = std::chrono::seconds(5);
constexpr const char* kSpace = "state";
constexpr int kAttempts = 50;
constexpr std::int64_t kLongestTtl = std::int64_t{100} * 365 * 24 * 3600;

Error wrong(std::string message, std::string field, std::string reason) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), std::move(reason)};
}

Result<void> check_names(const std::string& space, const std::string& key) {
  if (!is_name(space)) {
    return Failure(
        wrong("a namespace is 1 to 128 of A-Z a-z 0-9 _ . : -", "namespace", "bad_namespace"));
  }
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return Failure(wrong("a key has 1 to 2048 octets", "key", "bad_key"));
  }
  return {};
}

Result<void> check_value(const std::string& key, const std::string& value) {
  if (key.size() + value.size() > kMaxEntryBytes) {
    return Failure({ErrorCode::TooLarge,
                    fmt::format("key and value have {} octets together, at most {} fit",
                                key.size() + value.size(),
                                kMaxEntryBytes),
                    "value",
                    "value_too_large"});
  }
  if (const auto read = json::Document::parse(value, json::kApi); !read) {
    return Failure(wrong("the value is no JSON: " + read.error().message, "value", "bad_value"));
  }
  return {};
}

storage::Key key_of(const std::string& space, const std::string& key) {
  return {kSpace, space, key};
}

bool is_conflict(const Error& error) {
  return error.reason == "conflict";
}

Error busy(const char* what) {
  return {.code = ErrorCode::Unavailable,
          .message = fmt::format("others change {} all the time, try again", what),
          .retry_after = std::chrono::seconds(1)};
}

}  // namespace

std::string json_of(const StateEntry& entry) {
  json::Writer out;
  out.begin_object().member("key", entry.key).key("value").raw(entry.value);
  out.member("version", entry.version);
  if (entry.expires != 0) {
    out.member("expiresAt", entry.expires);
  }
  return out.end_object().take();
}

/// The keys of a transaction as they were, and as it leaves them.
struct NamedState::Draft {
  struct Slot {
    std::uint64_t version = 0;  // before
    std::optional<std::string> value = {};
    std::int64_t expires = 0;
    bool is_changed = false;
  };
  std::map<std::string, Slot, std::less<>> slots = {};
  std::optional<std::uint64_t> mismatch = {};  // of the operation that is performed
};

Result<std::int64_t> NamedState::expires_of(std::optional<std::int64_t> ttl) const {
  if (!ttl) {
    return 0;
  }
  if (*ttl < 1 || *ttl > kLongestTtl) {
    return Failure(wrong("ttl is 1 second to 100 years", "ttl", "bad_ttl"));
  }
  return to_ms(clock_.store_now() + std::chrono::seconds(*ttl));
}

Result<std::optional<StateEntry>> NamedState::read(const std::string& space,
                                                   const std::string& key) const {
  if (auto fits = check_names(space, key); !fits) {
    return Failure(std::move(fits.error()));
  }
  auto entry = store_.get(key_of(space, key), Deadline::in(kPatience));
  if (!entry || !*entry) {
    return entry ? Result<std::optional<StateEntry>>(std::nullopt) : Failure(entry.error());
  }
  return StateEntry{.key = key,
                    .value = std::move((*entry)->value),
                    .version = (*entry)->version,
                    .expires = (*entry)->expires};
}

Result<StatePage> NamedState::list(const std::string& space, const StateQuery& query) const {
  if (auto fits = check_names(space, "k"); !fits) {
    return Failure(std::move(fits.error()));
  }
  auto scan = storage::Scan::prefix(kSpace, space, query.prefix);
  scan.limit = std::clamp<std::size_t>(query.limit, 1, kMaxListed);
  scan.reverse = query.reverse;
  scan.from = std::max(scan.from, query.start);
  if (!query.start_after.empty()) {
    scan.from = std::max(scan.from, query.start_after + '\0');
  }
  const auto lower_end = [&scan](const std::string& end) {
    scan.to = scan.to.empty() ? end : std::min(scan.to, end);
  };
  if (!query.end.empty()) {
    lower_end(query.end);
  }
  if (!query.cursor.empty()) {
    const auto last = encoding::base64url_decode(query.cursor);
    if (!last || last->empty() || last->size() > kMaxKeyBytes) {
      return Failure(wrong("the cursor is not one of this list", "cursor", "bad_cursor"));
    }
    if (query.reverse) {
      lower_end(*last);
    } else {
      scan.from = std::max(scan.from, *last + '\0');
    }
  }
  StatePage out;
  if (!scan.to.empty() && scan.from >= scan.to) {
    return out;
  }
  const auto page = store_.scan(scan, Deadline::in(kPatience));
  if (!page) {
    return Failure(page.error());
  }
  for (const auto& item : page->items) {
    out.entries.push_back({item.key, item.entry.value, item.entry.version, item.entry.expires});
  }
  if (page->next && !out.entries.empty()) {
    out.cursor = encoding::base64url_encode(out.entries.back().key);
  }
  return out;
}

Result<void> NamedState::perform(const Operation& operation, Draft& draft) const {
  Draft::Slot& slot = draft.slots.find(operation.key)->second;
  if (operation.kind == Operation::Kind::Check) {
    if (slot.version != operation.version) {
      draft.mismatch = slot.version;
    }
    return {};
  }
  slot.is_changed = true;
  if (operation.kind == Operation::Kind::Delete) {
    slot.value.reset();
    return {};
  }
  const auto expires = expires_of(operation.ttl);
  if (!expires) {
    return Failure(expires.error());
  }
  if (operation.kind == Operation::Kind::Put) {
    slot.value = operation.value;
    slot.expires = *expires;
    return check_value(operation.key, operation.value);
  }
  std::optional<std::int64_t> number = operation.initial;
  if (slot.value) {
    const auto stored = json::Document::parse(*slot.value, json::kApi);
    number = stored ? stored->root().as_int64() : std::nullopt;
  }
  const auto is_in = [](std::int64_t value) {
    return value >= -kMaxInteger && value <= kMaxInteger;
  };
  if (!number || !is_in(*number) || !is_in(operation.by) || !is_in(*number + operation.by)) {
    return Failure(wrong(
        fmt::format("\"{}\" is no integer within 2^53, or would not be after this", operation.key),
        "key",
        "not_an_integer"));
  }
  if (!slot.value || operation.ttl) {
    slot.expires = *expires;
  }
  slot.value = std::to_string(*number + operation.by);
  return {};
}

/// Nothing when something it read has changed meanwhile.
Result<std::optional<Applied>> NamedState::attempt(const std::string& space,
                                                   const std::vector<Operation>& operations) {
  Draft draft;
  std::vector<storage::Key> keys;
  for (const Operation& operation : operations) {
    if (draft.slots.try_emplace(operation.key).second) {
      keys.push_back(key_of(space, operation.key));
    }
  }
  auto found = store_.get(keys, Deadline::in(kPatience));
  if (!found) {
    return Failure(std::move(found.error()));
  }
  storage::Batch batch;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Draft::Slot& slot = draft.slots.find(keys[i].key)->second;
    if (auto& entry = (*found)[i]) {
      slot = {
          .version = entry->version, .value = std::move(entry->value), .expires = entry->expires};
    }
    batch.checks.push_back({keys[i], slot.version});
  }
  Applied applied;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (auto done = perform(operations[i], draft); !done) {
      done.error().field = fmt::format("/ops/{}/{}", i, done.error().field);
      return Failure(std::move(done.error()));
    }
    if (draft.mismatch) {
      applied.mismatch = Mismatch{.failed = i, .version = *draft.mismatch};
      return std::optional(std::move(applied));
    }
    const auto& slot = draft.slots.find(operations[i].key)->second;
    applied.outcomes.push_back(
        {.key = operations[i].key,
         .value = operations[i].kind == Operation::Kind::Increment ? *slot.value : ""});
  }
  std::vector<std::string_view> written;
  for (auto& [key, slot] : draft.slots) {
    if (slot.is_changed && slot.value) {
      written.push_back(key);
      batch.puts.push_back({key_of(space, key), *slot.value, slot.expires});
    } else if (slot.is_changed) {
      batch.dels.push_back({key_of(space, key)});
    }
  }
  const auto receipt = store_.commit(std::move(batch), Deadline::in(kPatience));
  if (!receipt) {
    return is_conflict(receipt.error()) ? Result<std::optional<Applied>>(std::nullopt)
                                        : Failure(receipt.error());
  }
  for (Outcome& outcome : applied.outcomes) {
    const auto put = std::ranges::find(written, outcome.key);
    const auto& slot = draft.slots.find(outcome.key)->second;
    outcome.version = put != written.end()
                          ? receipt->versions[static_cast<std::size_t>(put - written.begin())]
                      : slot.is_changed ? 0
                                        : slot.version;
  }
  return std::optional(std::move(applied));
}

Result<Applied> NamedState::apply(const std::string& space,
                                  const std::vector<Operation>& operations) {
  if (operations.empty() || operations.size() > kMaxOperations) {
    return Failure(wrong("ops has 1 to 128 operations", "ops", "too_many_operations"));
  }
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (auto fits = check_names(space, operations[i].key); !fits) {
      if (fits.error().reason == "bad_key") {
        fits.error().field = fmt::format("/ops/{}/key", i);
      }
      return Failure(std::move(fits.error()));
    }
  }
  for (int i = 0; i < kAttempts; ++i) {
    auto applied = attempt(space, operations);
    if (!applied) {
      return Failure(std::move(applied.error()));
    }
    if (*applied) {
      return std::move(**applied);
    }
  }
  return Failure(busy("these keys"));
}

Result<Applied> NamedState::change(const std::string& space,
                                   std::optional<std::uint64_t> if_version,
                                   Operation operation) {
  std::vector<Operation> operations;
  if (if_version) {
    operations.push_back(
        {.kind = Operation::Kind::Check, .key = operation.key, .version = *if_version});
  }
  operations.push_back(std::move(operation));
  auto applied = apply(space, operations);
  if (!applied && applied.error().field.starts_with("/ops/")) {  // the caller gave no list
    applied.error().field = applied.error().field.substr(applied.error().field.rfind('/'));
  }
  return applied;
}

Result<Applied> NamedState::erase(const std::string& space,
                                  const std::string& key,
                                  std::optional<std::uint64_t> if_version) {
  for (int i = 0; i < kAttempts; ++i) {
    const auto entry = read(space, key);
    if (!entry || (!*entry && !if_version)) {
      return entry ? Result<Applied>() : Failure(entry.error());
    }
    const std::uint64_t found = *entry ? (*entry)->version : 0;
    auto applied =
        change(space, if_version.value_or(found), {.kind = Operation::Kind::Delete, .key = key});
    if (!applied || !applied->mismatch || if_version) {
      return applied;
    }
  }
  return Failure(busy("this key"));
}

Result<std::optional<Outcome>> NamedState::touch(const std::string& space,
                                                 const std::string& key,
                                                 std::int64_t ttl) {
  for (int i = 0; i < kAttempts; ++i) {
    const auto entry = read(space, key);
    if (!entry || !*entry) {
      return entry ? Result<std::optional<Outcome>>(std::nullopt) : Failure(entry.error());
    }
    const auto applied =
        change(space,
               (*entry)->version,
               {.kind = Operation::Kind::Put, .key = key, .value = (*entry)->value, .ttl = ttl});
    if (!applied) {
      return Failure(applied.error());
    }
    if (!applied->mismatch) {
      return std::optional(applied->outcomes.back());
    }
  }
  return Failure(busy("this key"));
}

}  // namespace edge::state
