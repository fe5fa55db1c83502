// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/lru.h"
#include "core/profiles/owner_cache.h"
#include "core/profiles/profile.h"
#include "core/profiles/records.h"
#include "core/storage/batch.h"
#include "core/storage/storage.h"

namespace edge::profiles {

/// The profiles and their index as the fold sees and changes them: a bounded cache over the store
/// that gathers what changed until it is written. While one batch of changes is being written the
/// next is gathered. One thread only, and the only writer of its spaces.
///
/// Pointers that it gives out stay good until `written`. Reading can fail as the store can; a
/// failed read changes nothing.
class Ledger {
 public:
  /// Is told of what happens to profiles while an event is folded, before it happens: whoever keeps
  /// something about them brings it up to date first. Must not fail.
  class Watcher {
   public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    Watcher(Watcher&&) = delete;
    Watcher& operator=(Watcher&&) = delete;
    virtual ~Watcher() = default;

    /// An event is about to be counted for the profile it belongs to.
    virtual void arriving(Profile& profile) = 0;
    /// `from` is about to be joined into `into`.
    virtual void merging(Profile& into, Profile& from) = 0;
  };

  /// Borrows the store for life. `cache_bytes` bounds what is kept after each `written`, what waits
  /// to be written aside; `session_gap` is the rule by which whoever folds counts sessions;
  /// `history` is how many changes of traits are kept per profile.
  Ledger(storage::Store& store,
         std::size_t cache_bytes,
         std::chrono::milliseconds session_gap = Sessions::kGap,
         std::uint64_t history = 100)
      : store_(store),
        cache_bytes_(cache_bytes),
        session_gap_(session_gap),
        history_(history),
        owners_(cache_bytes / 4) {}

  /// Reads what is not in memory of the owners of `identifiers` and their profiles, in few calls.
  Result<void> prefetch(std::span<const Identifier> identifiers);
  /// Called before something that is not in memory is read alone: a chance to `prefetch` what will
  /// be needed next as well. nullptr: nobody takes it.
  void on_miss(std::function<Result<void>()> call) { on_miss_ = std::move(call); }

  /// Who owns an identifier; empty when nobody does.
  Result<ProfileId> owner(std::string_view type, std::string_view value);
  /// The profile of that id; nullptr when there is none (any more).
  Result<Profile*> profile(const ProfileId& id);
  /// The same for an id that may have been absorbed: the profile it leads to.
  Result<Profile*> survivor(ProfileId id);
  /// Reads the profiles with these ids that are not in memory, in few calls.
  Result<void> prefetch_profiles(std::span<const ProfileId> ids);
  /// The traits of a group, empty when it is new.
  Result<Traits*> group(std::string_view id);

  Profile& create(ProfileId id, std::uint64_t number);
  /// Says that `profile` (from this ledger) is changed and must be written.
  void touch(const Profile& profile);
  void touch_group(std::string_view id);
  void own(std::string_view type, std::string_view value, const ProfileId& owner);
  void disown(std::string_view type, std::string_view value);
  /// Puts a redirect in the place of `from`, which ends here.
  void absorb(const Profile& from, const ProfileId& into);
  /// Ends a profile for good: its entry, and that it owns its identifiers.
  void remove(const Profile& profile);
  /// Makes a profile that was absorbed exist again as it is given.
  Profile& revive(Profile profile);
  void record(const Merge& merge);
  void record(const ProfileId& profile, const HistoryEntry& entry);

  /// Writes an entry that goes with the profiles; nothing: deletes it.
  void write(storage::Key key, std::optional<std::string> value);
  /// Adds to a counter of the store (`storage::Add`).
  void add(storage::Key key, std::int64_t by, std::int64_t expires = 0);

  /// nullptr: nobody watches. Borrowed.
  void watch(Watcher* watcher) { watcher_ = watcher; }
  [[nodiscard]] Watcher* watcher() const { return watcher_; }

  [[nodiscard]] std::chrono::milliseconds session_gap() const { return session_gap_; }

  /// How much has changed since the last `take`, roughly.
  [[nodiscard]] std::size_t pending_items() const;
  [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }
  /// Everything that changed since the last one, to be written as one batch. Ends with `written` or
  /// `restore`; there is none in between.
  [[nodiscard]] storage::Batch take();
  /// What was taken is durable: forgets it and shrinks the cache.
  void written();
  /// What was taken is not written: it belongs to what changed again.
  void restore();

 private:
  Result<std::vector<std::optional<storage::Entry>>> read(std::span<const storage::Key> keys);
  Result<void> miss();
  std::optional<ProfileId> remembered_owner(std::string_view type, std::string_view value);
  Result<void> load_profiles(std::span<const storage::Key> keys);
  [[nodiscard]] const std::optional<std::string>* unwritten(const storage::Key& key) const;
  Profile& keep(Profile profile);
  void forget(const ProfileId& id);

  /// What is to be written. The profiles are those in memory; who is gone from there is in
  /// `writes`.
  struct Changes {
    std::unordered_set<const Profile*> profiles;
    std::set<std::string, std::less<>> groups;                           // by id
    std::map<storage::Key, std::optional<std::string>> writes;           // nothing: delete
    std::map<storage::Key, std::pair<std::int64_t, std::int64_t>> adds;  // by, expires
  };

  storage::Store& store_;
  const std::size_t cache_bytes_;
  const std::chrono::milliseconds session_gap_;
  const std::uint64_t history_;
  OwnerCache owners_;
  Lru<Profile> profiles_;  // by id
  Lru<Traits> groups_;     // by id
  Changes changes_;
  Changes taken_;
  std::size_t pending_bytes_ = 0;
  Watcher* watcher_ = nullptr;
  std::function<Result<void>()> on_miss_;
};

}  // namespace edge::profiles
