// SPDX-License-Identifier: MIT
#include "core/flags/user_records.h"

#include <algorithm>
#include <array>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

using namespace std::chrono_literals;

constexpr const char* kBucketSpace = "flag_buckets";
constexpr const char* kOverrideSpace = "flag_overrides";
constexpr std::size_t kGeneration = 20'000;   // records
constexpr std::chrono::seconds kFresh = 30s;  // another daemon on the same store may write too
constexpr std::size_t kMaxPlainKey = 1'000;

/// Any text may be a user id; a key is 1 to 2048 octets.
std::string key_of(std::string_view user) {
  return user.size() <= kMaxPlainKey ? "u" + std::string(user)
                                     : "h" + encoding::hex_encode(crypto::sha256(user));
}

storage::Key key_in(const char* space, std::string_view project, std::string_view user) {
  return {.space = space, .part = std::string(project), .key = key_of(user)};
}

storage::Deadline soon() {
  return storage::Deadline::in(5s);
}

std::string place_of(std::string_view project, std::string_view user) {
  return std::string(project).append(1, '\0').append(user);
}

UserRecordPointer record_of(std::string buckets, std::string_view overrides) {
  auto record = std::make_shared<UserRecord>();
  record->buckets = std::move(buckets);
  if (auto document = json::Document::parse(record->buckets, json::kDecision)) {
    record->document.emplace(*std::move(document));
    record->sticky = sticky_map_of(record->document->root());
  } else {
    record->buckets = "{}";
  }
  if (const auto document = json::Document::parse(overrides, json::kDecision)) {
    for (const auto& [experiment, variation] : document->root().members()) {
      record->overrides.emplace_back(experiment, variation.as_string().value_or(""));
    }
  }
  return record;
}

std::string overrides_text(const UserRecord& record) {
  json::Writer out;
  out.begin_object();
  for (const auto& [experiment, variation] : record.overrides) {
    out.member(experiment, variation);
  }
  return out.end_object().take();
}

UserRecordPointer with_buckets(const UserRecord& record, std::string buckets) {
  return record_of(std::move(buckets), overrides_text(record));
}

storage::Batch putting(storage::Key key, std::string value) {
  storage::Batch batch;
  batch.puts.push_back({.key = std::move(key), .value = std::move(value)});
  return batch;
}

}  // namespace

Overrides UserRecord::overrides_under(const Datafile& datafile, std::string_view user) const {
  Overrides out;
  for (const auto& [experiment, variation] : overrides) {
    out.set(datafile, experiment, user, variation);  // false: its keys do not exist here
  }
  return out;
}

UserRecords::UserRecords(storage::Store& store, const Clock& clock, metrics::Registry& registry)
    : store_(store),
      clock_(clock),
      lost_(registry
                .counter("edge_flags_profiles_lost_total",
                         "Remembered variations that the store did not take")
                .with({})) {}

UserRecordPointer UserRecords::cached(std::string_view project, std::string_view user) {
  const std::string place = place_of(project, user);
  const SteadyTime now = clock_.steady();
  const std::lock_guard lock(mutex_);
  if (const auto found = young_.find(place); found != young_.end()) {
    return found->second.until > now ? found->second.record : nullptr;
  }
  const auto found = old_.find(place);
  if (found == old_.end() || found->second.until <= now) {
    return nullptr;
  }
  auto record = found->second.record;
  young_.insert(old_.extract(found));
  return record;
}

void UserRecords::keep(std::string_view project, std::string_view user, UserRecordPointer record) {
  Generation dropped;
  const SteadyTime until = clock_.steady() + kFresh;
  const std::lock_guard lock(mutex_);
  if (young_.size() >= kGeneration) {
    dropped = std::exchange(old_, std::exchange(young_, {}));
  }
  young_.insert_or_assign(place_of(project, user), Cached{std::move(record), until});
}

void UserRecords::forget(std::string_view project, std::string_view user) {
  const std::string place = place_of(project, user);
  const std::lock_guard lock(mutex_);
  ++changes_;
  young_.erase(place);
  old_.erase(place);
}

void UserRecords::forget_all() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  young_.clear();
  old_.clear();
}

Result<UserRecordPointer> UserRecords::find(std::string_view project, std::string_view user) {
  if (auto record = cached(project, user)) {
    return record;
  }
  const std::uint64_t before = changes_.load();
  auto record = read(project, user);
  if (record && changes_.load() == before) {  // else it may be older than what was written
    keep(project, user, *record);
  }
  return record;
}

Result<UserRecordPointer> UserRecords::read(std::string_view project, std::string_view user) {
  const std::array keys = {key_in(kBucketSpace, project, user),
                           key_in(kOverrideSpace, project, user)};
  auto entries = store_.get(keys, soon());
  if (!entries) {
    return Failure(entries.error());
  }
  std::optional<storage::Entry>& buckets = entries->at(0);
  const std::optional<storage::Entry>& overrides = entries->at(1);
  return record_of(buckets ? std::move(buckets->value) : "{}",
                   overrides ? std::string_view(overrides->value) : "{}");
}

void UserRecords::remember(std::string_view project, std::string_view user, std::string buckets) {
  if (const auto present = cached(project, user)) {
    keep(project, user, with_buckets(*present, buckets));
  }
  store_.commit(putting(key_in(kBucketSpace, project, user), std::move(buckets)),
                soon(),
                [this, project = std::string(project), user = std::string(user)](
                    const Result<storage::Receipt>& receipt) {
                  if (!receipt) {
                    lost_.add();
                    forget(project, user);
                  }
                });
}

Result<void> UserRecords::save(std::string_view project,
                               std::string_view user,
                               std::string buckets) {
  const auto stored =
      store_.commit(putting(key_in(kBucketSpace, project, user), std::move(buckets)), soon());
  forget(project, user);
  if (!stored) {
    return Failure(stored.error());
  }
  return {};
}

Result<OverrideChange> UserRecords::set_override(std::string_view project,
                                                 std::string_view user,
                                                 std::string_view experiment,
                                                 std::string_view variation) {
  const std::lock_guard lock(changing_);
  const auto present = read(project, user);
  if (!present) {
    return Failure(present.error());
  }
  UserRecord next{.overrides = (*present)->overrides};
  const auto place = std::ranges::find(
      next.overrides, experiment, [](const auto& one) { return std::string_view(one.first); });
  OverrideChange change;
  if (place != next.overrides.end()) {
    change.previous = place->second;
    next.overrides.erase(place);
  }
  if (!variation.empty()) {
    next.overrides.emplace_back(experiment, variation);
  }
  auto key = key_in(kOverrideSpace, project, user);
  storage::Batch batch;
  if (next.overrides.empty()) {
    batch.dels.push_back({.key = std::move(key)});
  } else {
    batch = putting(std::move(key), overrides_text(next));
  }
  const auto stored = store_.commit(std::move(batch), soon());
  forget(project, user);
  if (!stored) {
    return Failure(stored.error());
  }
  return change;
}

Result<void> UserRecords::erase_user(const std::vector<std::string>& projects,
                                     std::string_view user) {
  const std::lock_guard lock(changing_);
  storage::Batch batch;
  for (const std::string& project : projects) {
    batch.dels.push_back({.key = key_in(kBucketSpace, project, user)});
    batch.dels.push_back({.key = key_in(kOverrideSpace, project, user)});
  }
  const auto done = store_.commit(std::move(batch), soon());
  for (const std::string& project : projects) {
    forget(project, user);
  }
  return done ? Result<void>{} : Failure(done.error());
}

Result<void> UserRecords::erase_overrides(std::string_view project) {
  const std::lock_guard lock(changing_);
  auto query = storage::Scan::prefix(kOverrideSpace, std::string(project), "");
  query.limit = 500;
  while (true) {
    const auto page = store_.scan(query, soon());
    if (!page) {
      return Failure(page.error());
    }
    storage::Batch batch;
    for (const auto& item : page->items) {
      batch.dels.push_back({.key = {kOverrideSpace, std::string(project), item.key}});
    }
    if (!batch.dels.empty()) {
      if (const auto done = store_.commit(std::move(batch), soon()); !done) {
        return Failure(done.error());
      }
    }
    if (!page->next) {
      forget_all();
      return {};
    }
    query.resume(*page->next);
  }
}

}  // namespace edge::flags
