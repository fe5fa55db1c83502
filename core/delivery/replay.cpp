// SPDX-License-Identifier: MIT
#include "core/delivery/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/crypto/digest.h"
#include "core/delivery/retry.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kDefaultBatch = 100;
constexpr std::size_t kMaxBatchBytes = std::size_t{1} << 20U;
constexpr std::size_t kKeptHashes = 2'000;
constexpr std::size_t kMaxHashes = 1'000'000;
constexpr std::uint32_t kMaxThrottled = 1'000;
constexpr milliseconds kRetryBase{500};
constexpr milliseconds kRetryCap{30'000};

std::uint64_t hash_of(std::string_view text) {
  const std::string digest = crypto::sha256(text);
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = value << 8U | static_cast<std::uint8_t>(digest[static_cast<std::size_t>(i)]);
  }
  return value;
}

bool is_transient(ErrorCode code) {
  return code == ErrorCode::RateLimited || code == ErrorCode::Unavailable ||
         code == ErrorCode::DeadlineExceeded;
}

std::size_t count_open(std::span<const ReplayItem> items) {
  return static_cast<std::size_t>(
      std::ranges::count_if(items, [](const ReplayItem& item) { return !item.outcome; }));
}

/// What became of items, some of which are given up.
std::vector<std::string> outcomes_of(std::span<const ReplayItem> items, const std::string& reason) {
  std::vector<std::string> outcomes;
  for (const ReplayItem& item : items) {
    outcomes.push_back(item.outcome.value_or(reason));
  }
  return outcomes;
}

/// Those read that were sent, or were to be.
std::uint64_t chosen(const ReplayCounts& counts) {
  return counts.read - counts.skipped - counts.deduplicated - counts.quarantined;
}

}  // namespace

std::optional<Time> time_of(json::Value event) {
  for (const char* name : {"timestamp", "originalTimestamp"}) {
    if (const auto value = event.find(name)) {
      if (const auto time = events::parse_time(*value)) {
        return time;
      }
    }
  }
  return std::nullopt;
}

Replay::Replay(ReplaySource& source,
               ReplayTarget& target,
               ReplayOptions options,
               ReplayHooks hooks,
               const Clock& clock,
               Random& random)
    : source_(source),
      target_(target),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      clock_(clock),
      random_(random) {}

Result<ReplaySummary> Replay::run() {
  if (auto ready = begin(); !ready) {
    return Failure(ready.error());
  }
  begun_ = clock_.steady();
  const std::uint64_t sent_before = summary_.counts.sent;
  Result<void> problem;
  while (problem && !summary_.stopped && !summary_.interrupted) {
    const auto more = gather();
    if (!more) {
      problem = Failure(more.error());
      break;
    }
    if (!gathered_.empty()) {
      dispatch();
    }
    if (!*more) {
      break;
    }
    problem = keep_in_flight();
  }
  while (!in_flight_.empty()) {
    auto retired = retire();
    problem = problem ? retired : problem;
  }
  summary_.duration = std::chrono::duration_cast<milliseconds>(clock_.steady() - begun_);
  summary_.sent_now = summary_.counts.sent - sent_before;
  const auto flushed = source_.flush();
  problem = problem ? flushed : problem;
  if (!problem) {
    return Failure(problem.error());
  }
  if (options_.checkpoint.empty() || options_.rehearsal) {
    return summary_;
  }
  if (summary_.interrupted || summary_.stopped) {
    auto kept = keep_first_checkpoint();
    return kept ? Result<ReplaySummary>(summary_) : Failure(kept.error());
  }
  std::error_code ignored;  // there is none when nothing was sent
  std::filesystem::remove(options_.checkpoint, ignored);
  return summary_;
}

/// Reads until a batch is full, the source ends (false) or it is time to send what there is.
Result<bool> Replay::gather() {
  while (gathered_.size() < batch_size()) {
    if (hooks_.interrupted()) {
      summary_.interrupted = true;
      return false;
    }
    if (options_.limit > 0 && chosen(summary_.counts) >= options_.limit) {
      return false;
    }
    auto item = source_.next();
    if (!item && hooks_.interrupted()) {
      continue;  // it gave up waiting
    }
    if (!item) {
      return Failure(item.error());
    }
    if (!*item) {
      return false;
    }
    const auto go_on = consider(std::move(**item));
    if (!go_on || !*go_on) {
      return go_on;
    }
  }
  return true;
}

/// Takes an item into the batch or counts why not. False ends the run.
Result<bool> Replay::consider(ReplayItem item) {
  const std::uint64_t position = item.position;
  const auto document =
      item.problem ? Failure(*item.problem) : json::Document::parse(item.event, json::kEvent);
  if (!document) {
    ++summary_.counts.read;
    note_failure(
        "bad_item",
        item.problem
            ? item.problem->message
            : fmt::format("item {} cannot be read: {}", position, document.error().message));
    summary_.stopped = options_.on_error == ReplayOptions::OnError::Stop;
    position_ = summary_.stopped ? position_ : position;
    return !summary_.stopped;
  }
  const json::Value event = document->root();
  if (!keeps(item, event)) {
    ++summary_.counts.read;
    position_ = position;
    return true;
  }
  const auto time = time_of(event);
  const auto paced = pace(time);
  if (!paced || !*paced) {
    return paced;
  }
  stamp(item, event, time);
  if (auto fits = make_room(item.event.size()); !fits) {
    return Failure(fits.error());
  }
  ++summary_.counts.read;
  gathered_bytes_ += item.event.size();
  gathered_.push_back(std::move(item));
  position_ = position;
  return true;
}

bool Replay::keeps(const ReplayItem& item, json::Value event) {
  const auto time = time_of(event);
  if (time && ((options_.since && *time < *options_.since) ||
               (options_.until && *time >= *options_.until))) {
    ++summary_.counts.skipped;
    return false;
  }
  if (options_.where && !options_.where(event)) {
    ++summary_.counts.skipped;
    return false;
  }
  if (!item.letter.empty() && item.replays >= options_.max_replays) {
    ++summary_.counts.quarantined;
    return false;
  }
  if (is_repeated(event, item.position)) {
    ++summary_.counts.deduplicated;
    return false;
  }
  return true;
}

bool Replay::is_repeated(json::Value event, std::uint64_t position) {
  const auto value = options_.dedupe.empty() ? std::nullopt : event.at_pointer(options_.dedupe);
  if (!value) {
    return false;
  }
  const std::uint64_t hash = hash_of(value->raw());
  if (seen_.size() >= kMaxHashes || !seen_.insert(hash).second) {
    return seen_.contains(hash);
  }
  recent_.emplace_back(position, hash);
  if (recent_.size() > kKeptHashes) {
    recent_.pop_front();
  }
  return false;
}

/// Gives the event the time it is to have.
void Replay::stamp(ReplayItem& item, json::Value event, std::optional<Time> time) {
  if (options_.timestamps == ReplayOptions::Timestamps::Keep) {
    return;
  }
  first_time_ = first_time_ ? first_time_ : time;
  const Time begun =
      clock_.now() - std::chrono::duration_cast<milliseconds>(clock_.steady() - begun_);
  const bool shifts = options_.timestamps == ReplayOptions::Timestamps::Shift && time;
  const std::string text =
      events::format_time(shifts ? begun + (*time - *first_time_) : clock_.now());
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : event.members()) {
    if (name != "timestamp" && name != "originalTimestamp" && name != "sentAt") {
      out.key(name).value(value);
    }
  }
  out.member("timestamp", text).member("originalTimestamp", text).end_object();
  item.event = out.take();
}

/// Waits until the event may go; sends what was gathered before a longer wait.
Result<bool> Replay::pace(std::optional<Time> time) {
  SteadyTime due = next_slot_;
  if (options_.rate > 0) {
    const auto gap = std::chrono::duration_cast<SteadyTime::duration>(
        std::chrono::duration<double>(1 / options_.rate));
    next_slot_ = std::max(next_slot_, clock_.steady()) + gap;
  }
  if (options_.speed > 0 && time) {
    first_time_ = first_time_ ? first_time_ : time;
    const auto offset = std::chrono::duration<double, std::milli>(
        static_cast<double>((*time - *first_time_).count()) / options_.speed);
    due = std::max(due, begun_ + std::chrono::duration_cast<SteadyTime::duration>(offset));
  }
  if (due <= clock_.steady()) {
    return true;
  }
  if (auto sent = send_gathered(); !sent) {
    return Failure(sent.error());
  }
  if (!wait_until(due)) {
    summary_.interrupted = true;
    return false;
  }
  return true;
}

/// Sends what was gathered, when so many octets more would make the batch too large.
Result<void> Replay::make_room(std::size_t octets) {
  return gathered_bytes_ + octets <= kMaxBatchBytes ? Result<void>() : send_gathered();
}

/// Sends what was gathered and waits until another batch may be sent.
Result<void> Replay::send_gathered() {
  if (!gathered_.empty()) {
    dispatch();
  }
  return keep_in_flight();
}

/// Waits until fewer batches are on their way than may be.
Result<void> Replay::keep_in_flight() {
  Result<void> retired;
  while (retired && in_flight_.size() >= std::max<std::size_t>(options_.in_flight, 1)) {
    retired = retire();
  }
  return retired;
}

void Replay::dispatch() {
  gathered_bytes_ = 0;
  in_flight_.push_back({.items = std::exchange(gathered_, {}),
                        .position = position_,
                        .counts = summary_.counts,
                        .outcome = {}});
  Batch& placed = in_flight_.back();
  placed.outcome =
      std::async(std::launch::async, [this, &items = placed.items] { return send(items); });
}

/// Sends a batch as often as its retries allow; being told to slow down is no failure. What is too
/// much at once goes in halves. While the target takes some of a batch, the rest of it waits alone.
Replay::Outcome Replay::send(std::span<ReplayItem> items) {
  std::uint32_t failures = 0;
  std::uint32_t throttled = 0;
  SteadyTime not_before{};  // of this batch
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      not_before = std::max(not_before, not_before_);
    }
    if (!wait_until(not_before)) {
      return {.interrupted = true};
    }
    auto sent = target_.send(items);
    if (sent) {
      return {.failures = std::move(*sent)};
    }
    const Error& error = sent.error();
    if (error.code == ErrorCode::TooLarge && items.size() > 1) {
      return send_halves(items);
    }
    if (error.code == ErrorCode::TooLarge) {
      return {.failures = {reason_of(error)}};
    }
    if (!is_transient(error.code)) {
      return {.fatal = error};
    }
    const bool slow_down = error.code == ErrorCode::RateLimited;
    failures += slow_down ? 0 : 1;
    throttled += slow_down ? 1 : 0;
    if (failures > options_.retries || throttled > kMaxThrottled) {
      return {.failures = outcomes_of(items, reason_of(error))};
    }
    const milliseconds delay = std::max<milliseconds>(back_off(failures), error.retry_after);
    not_before = clock_.steady() + delay;
    const std::size_t open = count_open(items);
    if (open == items.size()) {
      const std::lock_guard lock(mutex_);
      not_before_ = std::max(not_before_, not_before);
    } else if (hooks_.held) {
      hooks_.held(open, delay);
    }
  }
}

Replay::Outcome Replay::send_halves(std::span<ReplayItem> items) {
  const std::size_t half = items.size() / 2;
  Outcome first = send(items.first(half));
  if (first.fatal || first.interrupted) {
    return first;
  }
  Outcome second = send(items.subspan(half));
  second.failures.insert(second.failures.begin(), first.failures.begin(), first.failures.end());
  return second;
}

milliseconds Replay::back_off(std::uint32_t failures) {
  const std::lock_guard lock(mutex_);
  return next_delay(std::max(failures, 1U), kRetryBase, kRetryCap, random_);
}

bool Replay::wait_until(SteadyTime time) {
  const auto left = std::chrono::ceil<milliseconds>(time - clock_.steady());
  return left.count() <= 0 ? !hooks_.interrupted() : hooks_.wait(left);
}

/// Takes the answer of the oldest batch and writes the checkpoint behind it.
Result<void> Replay::retire() {
  const Outcome outcome = in_flight_.front().outcome.get();
  const Batch batch = std::move(in_flight_.front());
  in_flight_.pop_front();
  summary_.interrupted = summary_.interrupted || outcome.interrupted;
  cut_ = cut_ || outcome.interrupted;
  if (cut_) {
    return {};
  }
  if (outcome.fatal) {
    cut_ = true;
    return Failure(*outcome.fatal);
  }
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (auto settled = settle(batch.items[i], outcome.failures[i]); !settled) {
      return settled;
    }
  }
  hooks_.progress(summary_.counts);
  if (cut_) {
    return {};
  }
  return write_checkpoint(batch);
}

Result<void> Replay::settle(const ReplayItem& item, const std::string& failure) {
  if (failure.empty()) {
    ++summary_.counts.sent;
    return source_.acknowledged(item);
  }
  if (options_.on_error == ReplayOptions::OnError::Bury && item.letter.empty()) {
    if (auto buried = hooks_.bury(item, failure); !buried) {
      cut_ = true;
      return buried;
    }
  }
  note_failure(failure, fmt::format("item {}: {}", item.position, failure));
  if (options_.on_error == ReplayOptions::OnError::Stop) {
    summary_.stopped = true;
    cut_ = true;
  }
  return source_.failed(item);
}

void Replay::note_failure(const std::string& reason, const std::string& message) {
  ++summary_.counts.failed;
  ++summary_.failures[reason];
  if (summary_.first_failure.empty()) {
    summary_.first_failure = message;
  }
}

std::size_t Replay::batch_size() const {
  const std::size_t wanted = options_.batch == 0 ? kDefaultBatch : options_.batch;
  return std::min(wanted, target_.max_batch());
}

}  // namespace edge::delivery
