// SPDX-License-Identifier: MIT
#include "core/profiles/ledger.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/json/writer.h"

namespace edge::profiles {
namespace {

constexpr std::chrono::seconds kPatience{2};

std::size_t bytes_of(const Traits& traits) {
  return sizeof(Traits) + traits.bytes() + octets_of(traits);
}

/// And in order.
void keep_each_once(std::vector<storage::Key>& keys) {
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  keys.erase(repeated.begin(), repeated.end());
}

}  // namespace

Result<void> Ledger::prefetch(std::span<const Identifier> identifiers) {
  std::vector<storage::Key> missing;
  std::vector<storage::Key> wanted;
  const auto want = [&](const ProfileId& id) {
    if (!id.empty() && !profiles_.contains(id.text)) {
      wanted.push_back(profile_key(id));
    }
  };
  for (const Identifier& id : identifiers) {
    if (const auto known = remembered_owner(id.type, id.value)) {
      want(*known);
    } else {
      missing.push_back(identifier_key(id.type, id.value));
    }
  }
  keep_each_once(missing);
  const auto entries = read(missing);
  if (!entries) {
    return Failure(entries.error());
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const auto& entry = (*entries)[i];
    const ProfileId id{entry ? entry->value : std::string{}};
    owners_.insert(missing[i].part, missing[i].key, id);
    want(id);
  }
  keep_each_once(wanted);
  return load_profiles(wanted);
}

Result<ProfileId> Ledger::owner(std::string_view type, std::string_view value) {
  if (auto known = remembered_owner(type, value)) {
    return std::move(*known);
  }
  if (const auto told = miss(); !told) {
    return Failure(told.error());
  }
  if (auto known = remembered_owner(type, value)) {
    return std::move(*known);
  }
  const storage::Key key = identifier_key(type, value);
  const auto entries = read({&key, 1});
  if (!entries) {
    return Failure(entries.error());
  }
  const auto& entry = entries->front();
  ProfileId id{entry ? entry->value : std::string{}};
  owners_.insert(type, value, id);
  return id;
}

std::optional<ProfileId> Ledger::remembered_owner(std::string_view type, std::string_view value) {
  auto known = owners_.find(type, value);
  if (known) {
    return known;
  }
  if (const auto* const change = unwritten(identifier_key(type, value))) {
    known.emplace(change->value_or(""));
    owners_.insert(type, value, *known);
  }
  return known;
}

Result<Profile*> Ledger::profile(const ProfileId& id) {
  if (Profile* known = profiles_.find(id.text)) {
    return known;
  }
  const storage::Key key = profile_key(id);
  if (unwritten(key) != nullptr) {
    return nullptr;  // absorbed; the store does not know yet
  }
  if (const auto told = miss(); !told) {
    return Failure(told.error());
  }
  if (Profile* known = profiles_.find(id.text)) {
    return known;
  }
  if (const auto loaded = load_profiles({&key, 1}); !loaded) {
    return Failure(loaded.error());
  }
  return profiles_.find(id.text);
}

Result<void> Ledger::miss() {
  return on_miss_ ? on_miss_() : Result<void>{};
}

Result<Profile*> Ledger::survivor(ProfileId id) {
  while (true) {
    if (Profile* known = profiles_.find(id.text)) {
      return known;
    }
    const storage::Key key = profile_key(id);
    std::string stored;
    if (const auto* const change = unwritten(key)) {
      stored = change->value_or("");
    } else {
      auto entries = read({&key, 1});
      if (!entries) {
        return Failure(entries.error());
      }
      stored = entries->front() ? std::move(entries->front()->value) : std::string{};
    }
    if (stored.empty()) {
      return nullptr;
    }
    auto decoded = decode_stored(stored);
    if (!decoded) {
      return Failure(
          {.code = ErrorCode::Internal, .message = decoded.error().message, .reason = "corrupt"});
    }
    if (decoded->redirect.empty()) {
      return &keep(std::move(decoded->profile));
    }
    id = std::move(decoded->redirect);
  }
}

Result<void> Ledger::prefetch_profiles(std::span<const ProfileId> ids) {
  std::vector<storage::Key> wanted;
  for (const ProfileId& id : ids) {
    storage::Key key = profile_key(id);
    if (!profiles_.contains(id.text) && unwritten(key) == nullptr) {
      wanted.push_back(std::move(key));
    }
  }
  keep_each_once(wanted);
  return load_profiles(wanted);
}

Result<Traits*> Ledger::group(std::string_view id) {
  if (Traits* known = groups_.find(id)) {
    return known;
  }
  const storage::Key key = group_key(id);
  const auto entries = read({&key, 1});
  if (!entries) {
    return Failure(entries.error());
  }
  Traits traits;
  if (const auto& entry = entries->front()) {
    const auto document = json::Document::parse(entry->value, json::kEvent);
    auto stored = document ? read_stored_traits(document->root()) : std::nullopt;
    if (!stored) {
      return Failure({.code = ErrorCode::Internal,
                      .message = "stored group is not readable",
                      .reason = "corrupt"});
    }
    traits = std::move(*stored);
  }
  const std::size_t bytes = bytes_of(traits);
  return &groups_.insert(id, std::move(traits), bytes);
}

Profile& Ledger::create(ProfileId id, std::uint64_t number) {
  Profile& profile = keep(Profile{.id = std::move(id), .number = number});
  touch(profile);
  return profile;
}

void Ledger::touch(const Profile& profile) {
  if (changes_.profiles.insert(&profile).second) {
    pending_bytes_ += profiles::bytes_of(profile);
  }
}

void Ledger::touch_group(std::string_view id) {
  if (changes_.groups.emplace(id).second) {
    if (const Traits* traits = groups_.find(id)) {
      pending_bytes_ += bytes_of(*traits);
    }
  }
}

void Ledger::own(std::string_view type, std::string_view value, const ProfileId& owner) {
  owners_.insert(type, value, owner);
  write(identifier_key(type, value), owner.text);
}

void Ledger::disown(std::string_view type, std::string_view value) {
  owners_.insert(type, value, {});
  write(identifier_key(type, value), std::nullopt);
}

void Ledger::absorb(const Profile& from, const ProfileId& into) {
  write(profile_key(from.id), encode_redirect(into));
  forget(ProfileId(from.id));
}

void Ledger::remove(const Profile& profile) {
  for (const auto& [type, values] : profile.identifiers) {
    for (const std::string& value : values) {
      disown(type, value);
    }
  }
  write(profile_key(profile.id), std::nullopt);
  forget(ProfileId(profile.id));
}

Profile& Ledger::revive(Profile profile) {
  changes_.writes.erase(profile_key(profile.id));
  Profile& revived = keep(std::move(profile));
  touch(revived);
  return revived;
}

Profile& Ledger::keep(Profile profile) {
  forget(profile.id);
  const std::string id = profile.id.text;
  const std::size_t bytes = profiles::bytes_of(profile);
  return profiles_.insert(id, std::move(profile), bytes);
}

void Ledger::forget(const ProfileId& id) {
  if (const Profile* const known = profiles_.find(id.text)) {
    changes_.profiles.erase(known);
    taken_.profiles.erase(known);
    profiles_.erase(id.text);
  }
}

void Ledger::record(const Merge& merge) {
  write(merge_key(merge.id), encode(merge));
}

void Ledger::record(const ProfileId& profile, const HistoryEntry& entry) {
  if (history_ > 0) {
    write(history_key(profile, entry.number, history_), encode(entry));
  }
}

const std::optional<std::string>* Ledger::unwritten(const storage::Key& key) const {
  for (const Changes* const changes : {&changes_, &taken_}) {
    if (const auto found = changes->writes.find(key); found != changes->writes.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

std::size_t Ledger::pending_items() const {
  return changes_.profiles.size() + changes_.groups.size() + changes_.writes.size() +
         changes_.adds.size();
}

storage::Batch Ledger::take() {
  storage::Batch batch;
  batch.puts.reserve(pending_items());
  taken_ = std::exchange(changes_, {});
  pending_bytes_ = 0;
  // In the order of their keys: so the store walks through its pages once.
  std::vector<std::pair<std::string, const Profile*>> profiles;
  profiles.reserve(taken_.profiles.size());
  for (const Profile* const profile : taken_.profiles) {
    profiles.emplace_back(profile->id.text, profile);
  }
  std::ranges::sort(profiles);
  for (const auto& [id, profile] : profiles) {
    batch.puts.push_back({.key = profile_key(profile->id), .value = encode(*profile)});
    profiles_.resize(id, profiles::bytes_of(*profile));
  }
  for (const std::string& id : taken_.groups) {
    if (const Traits* traits = groups_.find(id)) {
      json::Writer out;
      write_stored(out, *traits);
      groups_.resize(id, bytes_of(*traits));
      batch.puts.push_back({.key = group_key(id), .value = out.take()});
    }
  }
  for (const auto& [key, value] : taken_.writes) {
    if (value) {
      batch.puts.push_back({.key = key, .value = *value});
    } else {
      batch.dels.push_back({.key = key});
    }
  }
  for (const auto& [key, change] : taken_.adds) {
    batch.adds.push_back({.key = key, .by = change.first, .expires = change.second});
  }
  return batch;
}

void Ledger::written() {
  taken_ = {};
  profiles_.trim(cache_bytes_ * 5 / 8, [this](const std::string&, const Profile& profile) {
    return changes_.profiles.contains(&profile);
  });
  groups_.trim(cache_bytes_ / 8, [this](const std::string& id, const Traits&) {
    return changes_.groups.contains(id);
  });
}

void Ledger::restore() {
  // What changed since is newer; whoever is in memory is no longer as a write of before says.
  std::erase_if(taken_.writes, [this](const auto& write) {
    return write.first.space == profile_key({}).space && profiles_.contains(write.first.key);
  });
  changes_.profiles.merge(taken_.profiles);
  changes_.groups.merge(taken_.groups);
  changes_.writes.merge(taken_.writes);
  for (const auto& [key, change] : taken_.adds) {
    add(key, change.first, change.second);
  }
  taken_ = {};
  for (const Profile* const profile : changes_.profiles) {
    pending_bytes_ += profiles::bytes_of(*profile);
  }
}

Result<std::vector<std::optional<storage::Entry>>> Ledger::read(
    std::span<const storage::Key> keys) {
  std::vector<std::optional<storage::Entry>> entries;
  entries.reserve(keys.size());
  while (!keys.empty()) {
    const auto now = keys.first(std::min(keys.size(), storage::kMaxPageItems));
    auto page = store_.get(now, storage::Deadline::in(kPatience));
    if (!page) {
      return Failure(page.error());
    }
    std::ranges::move(*page, std::back_inserter(entries));
    keys = keys.subspan(now.size());
  }
  return entries;
}

Result<void> Ledger::load_profiles(std::span<const storage::Key> keys) {
  const auto entries = read(keys);
  if (!entries) {
    return Failure(entries.error());
  }
  for (const auto& entry : *entries) {
    if (!entry) {
      continue;
    }
    auto stored = decode_stored(entry->value);
    if (!stored) {
      return Failure(
          {.code = ErrorCode::Internal, .message = stored.error().message, .reason = "corrupt"});
    }
    if (stored->redirect.empty()) {
      keep(std::move(stored->profile));
    }
  }
  return {};
}

void Ledger::write(storage::Key key, std::optional<std::string> value) {
  pending_bytes_ += key.part.size() + key.key.size() + (value ? value->size() : 0);
  changes_.writes.insert_or_assign(std::move(key), std::move(value));
}

void Ledger::add(storage::Key key, std::int64_t by, std::int64_t expires) {
  auto& change = changes_.adds[std::move(key)];
  change.first += by;
  change.second = std::max(change.second, expires);
}

}  // namespace edge::profiles
