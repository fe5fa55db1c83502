// SPDX-License-Identifier: MIT
#include "core/profiles/ledger.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/json/writer.h"

namespace edge::profiles {
namespace {

constexpr std::chrono::seconds kPatience{2};

std::string index_key(std::string_view type, std::string_view value) {
  std::string key;
  key.reserve(type.size() + value.size() + 1);
  return key.append(type).append(1, '\0').append(value);
}

std::size_t bytes_of(const Traits& traits) {
  std::size_t bytes = sizeof(Traits);
  for (const auto& [name, trait] : traits) {
    bytes += sizeof trait + 80 + name.size() + trait.json.size();
  }
  return bytes;
}

}  // namespace

Result<void> Ledger::prefetch(std::span<const Identifier> identifiers) {
  std::vector<storage::Key> missing;
  std::set<std::string, std::less<>> asked;
  std::vector<storage::Key> wanted;
  const auto want = [&](const ProfileId& id) {
    if (!id.empty() && !profiles_.contains(id.text) && asked.insert(id.text).second) {
      wanted.push_back(profile_key(id));
    }
  };
  for (const Identifier& id : identifiers) {
    std::string key = index_key(id.type, id.value);
    if (const ProfileId* known = owners_.find(key)) {
      want(*known);
    } else if (asked.insert(std::move(key)).second) {
      missing.push_back(identifier_key(id.type, id.value));
    }
  }
  const auto entries = read(missing);
  if (!entries) {
    return Failure(entries.error());
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const auto& entry = (*entries)[i];
    const ProfileId id{entry ? entry->value : std::string{}};
    owners_.insert(index_key(missing[i].part, missing[i].key), id, sizeof id + id.text.size());
    want(id);
  }
  return load_profiles(wanted);
}

Result<ProfileId> Ledger::owner(std::string_view type, std::string_view value) {
  const std::string key = index_key(type, value);
  if (const ProfileId* known = owners_.find(key)) {
    return *known;
  }
  const Identifier id{.type = std::string(type), .value = std::string(value)};
  if (const auto loaded = prefetch({&id, 1}); !loaded) {
    return Failure(loaded.error());
  }
  return *owners_.find(key);
}

Result<Profile*> Ledger::profile(const ProfileId& id) {
  if (Profile* known = profiles_.find(id.text)) {
    return known;
  }
  const storage::Key key = profile_key(id);
  if (writes_.contains(key)) {
    return nullptr;  // absorbed; the store does not know yet
  }
  if (const auto loaded = load_profiles({&key, 1}); !loaded) {
    return Failure(loaded.error());
  }
  return profiles_.find(id.text);
}

Result<Profile*> Ledger::survivor(ProfileId id) {
  while (true) {
    if (Profile* known = profiles_.find(id.text)) {
      return known;
    }
    const storage::Key key = profile_key(id);
    std::string stored;
    if (const auto pending = writes_.find(key); pending != writes_.end()) {
      stored = pending->second.value_or("");
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
      const std::size_t bytes = profiles::bytes_of(decoded->profile);
      return &profiles_.insert(id.text, std::move(decoded->profile), bytes);
    }
    id = std::move(decoded->redirect);
  }
}

Result<void> Ledger::prefetch_profiles(std::span<const ProfileId> ids) {
  std::set<std::string, std::less<>> asked;
  std::vector<storage::Key> wanted;
  for (const ProfileId& id : ids) {
    const storage::Key key = profile_key(id);
    if (!profiles_.contains(id.text) && !writes_.contains(key) && asked.insert(id.text).second) {
      wanted.push_back(key);
    }
  }
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
  const std::string key = id.text;
  Profile& profile =
      profiles_.insert(key, Profile{.id = std::move(id), .number = number}, sizeof(Profile));
  touch(profile);
  return profile;
}

void Ledger::touch(const Profile& profile) {
  if (dirty_profiles_.insert(profile.id.text).second) {
    pending_bytes_ += profiles::bytes_of(profile);
  }
}

void Ledger::touch_group(std::string_view id) {
  if (dirty_groups_.emplace(id).second) {
    if (const Traits* traits = groups_.find(id)) {
      pending_bytes_ += bytes_of(*traits);
    }
  }
}

void Ledger::own(std::string_view type, std::string_view value, const ProfileId& owner) {
  owners_.insert(index_key(type, value), owner, sizeof owner + owner.text.size());
  write(identifier_key(type, value), owner.text);
}

void Ledger::disown(std::string_view type, std::string_view value) {
  owners_.insert(index_key(type, value), ProfileId{}, sizeof(ProfileId));
  write(identifier_key(type, value), std::nullopt);
}

void Ledger::absorb(const Profile& from, const ProfileId& into) {
  write(profile_key(from.id), encode_redirect(into));
  const std::string key = from.id.text;
  dirty_profiles_.erase(key);
  profiles_.erase(key);
}

void Ledger::remove(const Profile& profile) {
  for (const auto& [type, values] : profile.identifiers) {
    for (const std::string& value : values) {
      disown(type, value);
    }
  }
  write(profile_key(profile.id), std::nullopt);
  const std::string key = profile.id.text;
  dirty_profiles_.erase(key);
  profiles_.erase(key);
}

Profile& Ledger::revive(Profile profile) {
  const std::string key = profile.id.text;
  writes_.erase(profile_key(profile.id));
  Profile& revived = profiles_.insert(key, std::move(profile), sizeof(Profile));
  touch(revived);
  return revived;
}

void Ledger::record(const Merge& merge) {
  write(merge_key(merge.id), encode(merge));
}

void Ledger::record(const ProfileId& profile, const HistoryEntry& entry) {
  write(history_key(profile, entry.number), encode(entry));
}

std::size_t Ledger::pending_items() const {
  return dirty_profiles_.size() + dirty_groups_.size() + writes_.size() + adds_.size();
}

storage::Batch Ledger::changes() {
  storage::Batch batch;
  batch.puts.reserve(pending_items());
  for (const std::string& id : dirty_profiles_) {
    if (const Profile* profile = profiles_.find(id)) {
      batch.puts.push_back({.key = profile_key(profile->id), .value = encode(*profile)});
    }
  }
  for (const std::string& id : dirty_groups_) {
    if (const Traits* traits = groups_.find(id)) {
      json::Writer out;
      write_stored(out, *traits);
      batch.puts.push_back({.key = group_key(id), .value = out.take()});
    }
  }
  for (const auto& [key, value] : writes_) {
    if (value) {
      batch.puts.push_back({.key = key, .value = *value});
    } else {
      batch.dels.push_back({.key = key});
    }
  }
  for (const auto& [key, change] : adds_) {
    batch.adds.push_back({.key = key, .by = change.first, .expires = change.second});
  }
  return batch;
}

void Ledger::flushed() {
  for (const std::string& id : dirty_profiles_) {
    if (const Profile* profile = profiles_.find(id)) {
      profiles_.resize(id, profiles::bytes_of(*profile));
    }
  }
  for (const std::string& id : dirty_groups_) {
    if (const Traits* traits = groups_.find(id)) {
      groups_.resize(id, bytes_of(*traits));
    }
  }
  dirty_profiles_.clear();
  dirty_groups_.clear();
  writes_.clear();
  adds_.clear();
  pending_bytes_ = 0;
  profiles_.trim(cache_bytes_ / 2);
  owners_.trim(cache_bytes_ / 4);
  groups_.trim(cache_bytes_ / 4);
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
      const std::size_t bytes = profiles::bytes_of(stored->profile);
      const std::string id = stored->profile.id.text;
      profiles_.insert(id, std::move(stored->profile), bytes);
    }
  }
  return {};
}

void Ledger::write(storage::Key key, std::optional<std::string> value) {
  pending_bytes_ += key.part.size() + key.key.size() + (value ? value->size() : 0);
  writes_.insert_or_assign(std::move(key), std::move(value));
}

void Ledger::add(storage::Key key, std::int64_t by, std::int64_t expires) {
  auto& change = adds_[std::move(key)];
  change.first += by;
  change.second = std::max(change.second, expires);
}

}  // namespace edge::profiles
