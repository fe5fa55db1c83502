// SPDX-License-Identifier: MIT
// One room: who is in it, what is said, in one order for all.
//
//   publish ─► waiting ─► one batch to the store ─► durable ─► every listener ─► the publishers
//
// An event gets its number when its batch is made and is told only when that is durable, so that no
// number is ever given twice and numbers have no holes. One batch is on its way at a time; what
// comes meanwhile goes together with the next. A listener that comes back reads what it missed from
// the history at its own pace and hears what is new only from there on, so that a long absence does
// not fill what may wait for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/metrics/metrics.h"
#include "core/state/listener.h"
#include "core/state/room_event.h"
#include "core/state/room_history.h"
#include "core/state/strand.h"

namespace edge::state {

inline constexpr std::size_t kMaxMembers = 10'000;
inline constexpr std::size_t kMaxShownMembers = 1'000;
inline constexpr std::size_t kMaxPresenceBytes = 4'096;
inline constexpr std::size_t kMaxRecipients = 100;
inline constexpr std::size_t kMaxHistoryAnswer = 500;
inline constexpr std::size_t kMaxSubscriptions = 1'000;
/// Publications that wait in one room; further ones are refused as unavailable.
inline constexpr std::size_t kMaxWaitingPublications = 1'024;
/// Octets of them.
inline constexpr std::size_t kMaxWaitingBytes = std::size_t{16} << 20U;
inline constexpr std::chrono::milliseconds kHeartbeat{30'000};

/// How a client takes part.
struct Joining {
  std::shared_ptr<Listener> listener;
  Person person = {};
  bool is_shown = true;                     ///< others are told of it
  bool is_greeted = true;                   ///< it gets `welcome` first
  std::optional<std::uint64_t> after = {};  ///< it has heard all up to here; nothing: it begins now
};

struct Published {
  std::uint64_t seq = 0;
  std::int64_t ts = 0;
  std::size_t delivered = 0;  ///< listeners that it went to
};

struct RoomHistoryAnswer {
  std::vector<Text> events = {};
  bool more = false;
};

/// What all rooms share.
struct RoomParts {
  storage::Store& store;
  const Clock& clock;
  metrics::Counter& events;
  metrics::Gauge& listeners;
};

/// Thread-safe: every verb posts to the strand of the room and answers through its callback, on
/// that strand or on the thread that calls.
class Room : public std::enable_shared_from_this<Room> {
 public:
  Room(RoomParts parts, std::string name, bool is_durable, std::shared_ptr<Strand> strand);

  /// `number` is fresh and not 0.
  void join(std::uint64_t number, Joining joining);
  void leave(std::uint64_t number);
  /// There is room again for what the listener missed.
  void resume(std::uint64_t number);
  void set_presence(std::uint64_t number, std::string state);
  /// `*` = all. The first subscription ends that a listener hears everything.
  void subscribe(std::uint64_t number, std::vector<std::string> events);
  void unsubscribe(std::uint64_t number, std::vector<std::string> events);
  /// Failure: Unavailable when too much waits or the store refuses.
  void publish(std::uint64_t by,
               Publication publication,
               std::function<void(Result<Published>)> done);
  void history(std::uint64_t after,
               std::size_t limit,
               Person reader,
               std::function<void(Result<RoomHistoryAnswer>)> done);
  /// `{"room","seq","connections","users","members"}`
  void describe(std::function<void(Result<std::string>)> done);
  /// Sends a frame that is no event to all members but one.
  void tell(std::string text, std::uint64_t except);
  /// Runs a task in line with what else happens in the room; it may wait for the store.
  void run(std::function<void()> task) { post(std::move(task)); }
  /// Forgets what was said; numbers go on until it leaves memory. Failure: that of the store.
  void forget(std::function<void(Result<void>)> done);

  /// Members and other listeners at present.
  [[nodiscard]] std::size_t listeners() const { return listener_count_; }
  [[nodiscard]] SteadyTime last_used() const { return last_used_; }
  [[nodiscard]] bool is_durable() const { return history_.is_durable(); }

 private:
  struct Member {
    Joining joining;
    std::int64_t since = 0;
    std::string state = {};  // JSON, empty: none
    std::uint64_t next = 1;  // the number of the event it gets next
    bool is_behind = false;  // it reads the history
    bool hears_all = true;
    bool has_chosen = false;                        // subscribed to something
    std::set<std::string, std::less<>> names = {};  // heard; with `hears_all`: not heard
    [[nodiscard]] bool hears(const RoomEvent& event) const;
  };
  struct Waiting {
    std::uint64_t by = 0;
    Publication publication;
    std::function<void(Result<Published>)> done;
  };
  struct Flight;

  void post(std::function<void()> task);
  Result<void> load();
  void admit(std::uint64_t number, Joining joining);
  void greet(std::uint64_t number, Member& member);
  void catch_up(std::uint64_t number);
  bool send_missed(Member& member, const std::vector<RoomEvent>& events);
  void remove(std::vector<std::uint64_t> gone);
  void tell_presence(std::uint64_t about, const char* action, const Member& member);
  [[nodiscard]] std::string member_json(const Member& member) const;
  void write_members(std::string& out, std::size_t& left_out) const;
  bool take_in(std::size_t bytes);
  void let_go(std::size_t bytes);
  void begin_flight();
  void land(Flight& flight, const Result<void>& outcome);
  std::size_t deliver(const RoomEvent& event,
                      const Waiting& waiting,
                      std::vector<std::uint64_t>& gone);

  const RoomParts parts_;
  const std::string name_;
  const std::shared_ptr<Strand> strand_;
  std::atomic<std::size_t> publications_{0};  // that wait or are on their way
  std::atomic<std::size_t> publication_bytes_{0};
  std::atomic<std::size_t> listener_count_{0};
  std::atomic<SteadyTime> last_used_;
  // The rest belongs to the strand.
  RoomHistory history_;
  bool is_loaded_ = false;
  std::unordered_map<std::uint64_t, Member> members_;
  std::deque<Waiting> waiting_;
  bool is_flying_ = false;
};

}  // namespace edge::state
