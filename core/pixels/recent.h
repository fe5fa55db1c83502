// SPDX-License-Identifier: MIT
// What was seen within the last moments: the same visit again, and the sweep of a mail gateway that
// follows every link of a mail. Both keep their memory bounded; when it is full the oldest go.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/pixels/mail_event.h"

namespace edge::pixels {

/// Visits that are stored once however often they come within a window after the first. One thread
/// only.
class RecentVisits {
 public:
  static constexpr std::size_t kMaxVisits = 65'536;

  /// A visit whose window is over and that was seen again within it.
  struct Repeated {
    TokenKind kind = TokenKind::Open;
    std::string campaign = {};
    std::string email = {};
    EventId id = {};
    std::uint64_t repeats = 0;
    Time at = {};
  };

  explicit RecentVisits(std::chrono::milliseconds window) : window_(window) {}

  /// True when an equal one came within the window before; it is counted then. Else `visit`, with
  /// its id and time, is remembered. `key` is what equal visits share.
  bool is_repeat(std::uint64_t key, const Repeated& visit);
  /// Takes the repeated ones whose window ended before `now`; all of them when it is nothing.
  std::vector<Repeated> take_ended(std::optional<Time> now);

 private:
  void drop_oldest(std::vector<Repeated>& ended);

  const std::chrono::milliseconds window_;
  std::unordered_map<std::uint64_t, Repeated> visits_;
  std::deque<std::uint64_t> order_;   // keys, oldest first
  std::vector<Repeated> pushed_out_;  // repeated ones that gave way
};

/// Finds sweeps: three or more different links of one mail to one recipient within a window (three
/// per identity spec 1.11). One thread only.
class Bursts {
 public:
  static constexpr std::size_t kMaxPeople = 65'536;
  static constexpr std::size_t kMaxClicks = 64;  ///< remembered per person
  static constexpr std::size_t kLinks = 3;

  explicit Bursts(std::chrono::milliseconds window) : window_(window) {}

  /// Whether the click at `at` on `link` by `person` belongs to a sweep. Then `earlier` gets the
  /// stored clicks of it that counted as human; each is given once.
  bool is_sweep(std::uint64_t person,
                std::uint64_t link,
                Time at,
                std::vector<ReclassifiedClick>& earlier);
  /// Remembers a click that was stored as human, so that a later one can take it back.
  void remember(std::uint64_t person, std::uint64_t link, Time at, ReclassifiedClick click);

 private:
  struct Click {
    std::uint64_t link = 0;
    Time at = {};
    ReclassifiedClick stored = {};
    bool is_human = false;
  };
  std::deque<Click>& clicks_of(std::uint64_t person, Time now);

  const std::chrono::milliseconds window_;
  std::unordered_map<std::uint64_t, std::deque<Click>> people_;
  std::deque<std::pair<std::uint64_t, Time>> order_;
};

/// 64 bits that stand for some texts in the order given; for tables in memory only.
std::uint64_t digest_of(std::initializer_list<std::string_view> texts);

}  // namespace edge::pixels
