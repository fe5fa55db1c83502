// SPDX-License-Identifier: MIT
// Counts what the log says of mails: a reader of its own with a position of its own.
//
//   space   part     key                            value
//   pixels  total    CAMPAIGN 0 EMAIL 0 METRIC      a counter (decimal)
//   pixels  hour     HOUR 0 CAMPAIGN 0 METRIC       the same of one hour; HOUR = hours since 1970,
//   8 digits pixels  seen     KIND:PERSON, KIND:PERSON:human "1": this recipient was counted as
//   unique
//
// A flush holds what was counted since the last one together with the position, so a crash counts
// nothing twice and loses nothing. Counters are added to, never read, by the one who counts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/events/event.h"
#include "core/pixels/claims.h"
#include "core/storage/storage.h"

namespace edge::pixels {

/// The consumer whose position says how far the log is counted.
inline constexpr const char* kTallyConsumer = "pixels";
inline constexpr const char* kTallySpace = "pixels";
inline constexpr const char* kTotalPart = "total";
inline constexpr const char* kHourPart = "hour";
inline constexpr const char* kSeenPart = "seen";

/// What stands for one recipient of one mail in the part `seen`.
std::string seen_key(TokenKind kind,
                     std::string_view campaign,
                     std::string_view email,
                     std::string_view recipient,
                     bool human);

/// Folds one lane of the log into counters. One thread only.
class Tally {
 public:
  struct Options {
    std::chrono::milliseconds retention{0};  ///< of hours and of who was seen; 0 = for ever
    std::uint32_t lane = 0;
  };

  /// Borrows store and clock for life.
  Tally(storage::Store& store, const Clock& clock, Options options)
      : store_(store), clock_(clock), options_(options) {}

  /// Counts what the log holds now. Failure: that of the store; what was counted stays counted.
  Result<void> catch_up(const std::stop_token& stop = {});
  /// Writes what was counted, with the position. Failure: that of the store; the next `catch_up`
  /// counts again from the stored position.
  Result<void> flush();

  /// Read, but the position is not written yet.
  [[nodiscard]] bool is_dirty() const { return folded_ != written_; }
  /// Counted, but not written yet.
  [[nodiscard]] bool has_counts() const { return !totals_.empty(); }
  /// Whether a key of the part `seen` is about to be written.
  [[nodiscard]] bool will_see(const std::string& key) const { return seen_.contains(key); }
  /// Whether it is about to be removed.
  [[nodiscard]] bool will_forget(const std::string& key) const { return forgotten_.contains(key); }

 private:
  Result<void> load_position();
  void fold(const storage::Record& record);
  void fold_visit(TokenKind kind, const events::Event& event);
  void fold_repeats(const events::Event& event);
  void fold_reclassified(const events::Event& event);
  void fold_rejected(const events::Event& event);
  void count(const events::Event& event, std::string_view metric, std::int64_t by = 1);

  storage::Store& store_;
  const Clock& clock_;
  const Options options_;
  bool loaded_ = false;
  bool careful_ = false;  // a record in the next slice is damaged: read one at a time
  std::uint64_t epoch_ = 0;
  std::uint64_t folded_ = 0;
  std::uint64_t written_ = 0;
  std::map<std::string, std::int64_t> totals_;
  std::map<std::string, std::int64_t> hours_;
  std::set<std::string> seen_;
  std::set<std::string> forgotten_;
};

}  // namespace edge::pixels
