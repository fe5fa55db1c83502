// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/events/event.h"
#include "core/profiles/ledger.h"
#include "core/profiles/segments/assess.h"
#include "core/profiles/segments/registry.h"

namespace edge::profiles {

/// The source of the events that tell destinations of people who enter and leave. They are neither
/// folded nor do they count for segments.
inline constexpr std::string_view kSegmentSource = "segments";

/// Who entered and left of one person since the last time.
struct SegmentNews {
  std::vector<std::string> users = {};     ///< user ids
  std::vector<std::string> entered = {};   ///< sorted; a segment that was left again is not here
  std::vector<std::string> exited = {};    ///< sorted
  std::vector<std::string> segments = {};  ///< all they are in now, sorted
};

/// Keeps the segments of the profiles of a ledger up to date while events are folded, and writes
/// down who entered or left: in the profile's log of changes, in the numbers of the segment, and as
/// raw events for the destinations that want to know. One thread only; part of the projector.
class SegmentFold final : public Ledger::Watcher {
 public:
  /// Borrows both for life and watches the ledger.
  using Noted = std::function<void(const Transition&)>;
  using IsWatched = std::function<bool(const Profile&)>;
  SegmentFold(Ledger& ledger,
              const SegmentRegistry& registry,
              Noted noted = {},
              IsWatched is_watched = {});

  /// An event comes in at `now`: what the ledger tells until `finish` belongs to it.
  void begin(const events::Event& event, std::uint64_t arrival, Time now);
  /// The event was folded into the profile with that id; empty: into none.
  Result<void> finish(const ProfileId& id);

  void arriving(Profile& profile) override;
  void merging(Profile& into, Profile& from) override;

  /// The profile ends for good: it is no longer counted, and nothing is due for it.
  void removing(const Profile& profile);
  /// Time passes for a profile, up to `to`.
  void pass_time(Profile& profile, Time to);
  /// Evaluates the segments with these generations for a profile.
  void settle(Profile& profile, const std::vector<std::uint64_t>& generations, Time now);
  /// Counts a stored event for new versions only.
  void count_again(const std::vector<std::uint64_t>& generations,
                   Profile& profile,
                   const events::Event& event,
                   std::uint64_t arrival,
                   Time now);
  /// Whether a new version may ask for the event.
  [[nodiscard]] bool is_wanted(const std::vector<std::uint64_t>& generations,
                               const events::Event& event);
  /// Evaluates everything for a profile that was put together anew, with `reason`.
  void reassess(Profile& profile, Time now, Reason reason);

  /// Which stored events the counters of one version hold.
  struct Holding {
    std::uint64_t generation = 0;
    std::uint64_t complete =
        0;                    ///< the log was folded up to here when nothing was missing any more
    std::uint64_t after = 0;  ///< those behind this offset …
    std::uint64_t gap_from = 0;  ///< … but for those behind this one …
    std::uint64_t gap_to = 0;    ///< … up to this one: a backfill has yet to read them

    [[nodiscard]] bool has(std::uint64_t offset) const {
      return offset > after && (offset <= gap_from || offset > gap_to);
    }
  };
  /// Of all versions that count events.
  [[nodiscard]] std::vector<Holding> holdings() const;
  /// Counts a stored event anew for these versions if they hold it, without evaluating (undoing a
  /// merge).
  void recount(const std::vector<Holding>& holdings,
               Profile& profile,
               const events::Event& event,
               std::uint64_t arrival,
               Time now);
  /// A profile that was absorbed is about to exist again as it was: it is counted where it is still
  /// a member.
  void returning(Profile& profile);
  /// Puts somebody into a segment by hand, or takes them out. False when that was so already, or
  /// there are too many.
  bool set_manual(Profile& profile,
                  std::string_view segment,
                  std::string_view source,
                  bool is_member,
                  Time now);

  /// The earliest instant at which a profile touched since the start is due; max: none.
  [[nodiscard]] Time earliest_due() const { return earliest_due_; }
  void set_earliest_due(Time at) { earliest_due_ = at; }

  /// Raw events to append to the log before what the ledger gathered is written.
  [[nodiscard]] const std::vector<std::string>& announcements() const { return announcements_; }
  void announced() { announcements_.clear(); }
  /// What happened to profiles that are watched since the last call, as of `now`.
  std::vector<SegmentNews> take_news(Time now);

 private:
  Assessor& assessor();
  void record(Profile& profile, const std::vector<Transition>& transitions);
  void record(Profile& profile, const Transition& transition);
  void count(const Transition& transition);
  void keep(Profile& profile);

  Ledger& ledger_;
  const SegmentRegistry& registry_;
  const Noted noted_;
  const IsWatched is_watched_;
  std::shared_ptr<const SegmentList> list_;
  std::unique_ptr<Assessor> assessor_;
  const events::Event* event_ = nullptr;
  std::uint64_t arrival_ = 0;
  Time now_ = {};
  bool was_new_ = false;
  bool was_merged_ = false;
  Time earliest_due_ = Time::max();
  std::vector<std::string> announcements_;
  /// Of watched profiles: the last transition of each segment.
  std::map<ProfileId, std::map<std::string, bool>> news_;
};

/// A change of membership as it is kept per profile.
struct LoggedTransition {
  std::uint64_t number = 0;
  Transition transition = {};
  std::string by = {};  ///< messageId of the event, empty when there was none
};

/// Changes kept per profile.
inline constexpr std::uint64_t kTransitionsKept = 100;
storage::Key transition_key(const ProfileId& id, std::uint64_t number);
std::string encode(const LoggedTransition& logged);
/// Nothing when it is something else.
std::optional<LoggedTransition> decode_transition(std::string_view stored);

/// Where the projector finds who is due: keys rise with time.
storage::Key due_key(Time at, const ProfileId& id);
/// The time and profile of such a key.
std::optional<std::pair<Time, ProfileId>> read_due_key(std::string_view key);

/// Counters of a segment: how many are in it, and how many entered or left within ten minutes.
storage::Key size_key(std::string_view segment);
storage::Key traffic_key(std::string_view segment, bool entered, Time at);
inline constexpr std::chrono::minutes kTrafficStep{10};

/// The raw events that tell destinations of a transition, at most one of each kind; none when
/// nobody is to be told or the profile has no id that an event can have.
std::vector<std::string> announcements_of(const Profile& profile,
                                          const Transition& transition,
                                          const Definition& definition);

}  // namespace edge::profiles
