// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/json/document.h"
#include "core/state/rooms.h"

namespace edge::test {

inline constexpr std::chrono::seconds kGuestPatience{10};

/// A listener that keeps what it is told.
class Guest final : public state::Listener {
 public:
  bool event(const state::RoomEvent& event) override { return keep(*event.frame); }
  bool presence(std::uint64_t /*about*/,
                bool /*is_join*/,
                state::Text text,
                state::Text /*joined*/) override {
    return keep(*text);
  }
  bool frame(std::string text) override { return keep(std::move(text)); }
  void ask_for_room() override { ++asked; }
  void refuse(std::string_view code, std::string_view /*message*/) override {
    keep("refused " + std::string(code));
  }

  /// The next frame, `(none)` when none comes in time.
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!news_.wait_for(lock, kGuestPatience, [this] { return !frames_.empty(); })) {
      return "(none)";
    }
    std::string frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }
  /// `SEQ DATA` of the next frame of that type; others are passed over. `FROM-TO` of a gap.
  std::string next_of(std::string_view type) {
    while (true) {
      const std::string frame = next();
      const auto document = json::Document::parse(frame, json::kApi);
      if (!document) {
        return frame;
      }
      const json::Value root = document->root();
      const auto raw = [&](std::string_view pointer) {
        const auto value = root.at_pointer(pointer);
        return std::string(value ? value->raw() : "");
      };
      if (raw("/type") != "\"" + std::string(type) + "\"") {
        continue;
      }
      return type == "event" ? raw("/seq") + " " + raw("/data")
             : type == "gap" ? raw("/from") + "-" + raw("/to")
                             : frame;
    }
  }
  [[nodiscard]] bool is_silent() const {
    const std::lock_guard lock(mutex_);
    return frames_.empty();
  }

  std::atomic<bool> takes = true;  ///< false: it is gone at the next frame
  std::atomic<int> asked = 0;

 private:
  bool keep(std::string frame) {
    const std::lock_guard lock(mutex_);
    if (takes) {
      frames_.push_back(std::move(frame));
      news_.notify_all();
    }
    return takes;
  }

  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::string> frames_;
};

/// Waits for what a verb of a room answers.
template <typename T, typename Start>
Result<T> answer_of(const Start& start) {
  const auto promise = std::make_shared<std::promise<Result<T>>>();
  auto ready = promise->get_future();
  start([promise](Result<T> answer) { promise->set_value(std::move(answer)); });
  if (ready.wait_for(kGuestPatience) != std::future_status::ready) {
    return Failure({ErrorCode::DeadlineExceeded, "no answer in time"});
  }
  return ready.get();
}

inline Result<state::Published> publish(state::Room& room,
                                        const std::string& data,
                                        std::uint64_t by = 0,
                                        state::Publication more = {}) {
  more.event = more.event.empty() ? "note" : more.event;
  more.data = data;
  return answer_of<state::Published>([&](auto done) { room.publish(by, more, done); });
}

inline std::string describe(state::Room& room) {
  return answer_of<std::string>([&](auto done) { room.describe(done); }).value_or("(none)");
}

/// `SEQ SEQ …` and `+` when there are more.
inline std::string history(state::Room& room,
                           std::uint64_t after,
                           std::size_t limit = 500,
                           const std::string& user = "reader") {
  const auto answer = answer_of<state::RoomHistoryAnswer>(
      [&](auto done) { room.history(after, limit, {.user = user}, done); });
  if (!answer) {
    return answer.error().message;
  }
  std::string out;
  for (const state::Text& event : answer->events) {
    const auto document = json::Document::parse(*event, json::kApi);
    const auto seq = document->root().find("seq");
    out.append(out.empty() ? "" : " ").append(seq->raw());
  }
  return out + (answer->more ? "+" : "");
}

}  // namespace edge::test
