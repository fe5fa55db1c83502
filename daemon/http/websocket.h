// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace edge::http {

class Completions;

/// Frames that wait for one client; one more and it is closed with 1013.
inline constexpr std::size_t kMaxWaitingFrames = 1024;
/// Octets of them.
inline constexpr std::size_t kMaxWaitingFrameOctets = std::size_t{4} << 20U;

/// One WebSocket connection, for those that talk through it.
///
/// A handler answers with `Response::socket`; when the answer is on its way `on_open` is called,
/// and from then on whoever has news sends. Texts wait here until the client takes them; they are
/// shared, so that a text for many clients exists once. A client that leaves too much is closed
/// with 1013 and reason `slow consumer`. Thread-safe, but for the handlers: these are called on the
/// loop of the connection, one at a time, and must not block.
class WebSocket {
 public:
  using Text = std::shared_ptr<const std::string>;

  struct Handlers {
    std::function<void(const std::shared_ptr<WebSocket>&)> on_open = {};
    std::function<void(std::string_view)> on_text = {};
    /// A binary message has come; its octets are not given out.
    std::function<void()> on_binary = {};
    /// No more than half of what may wait is left; called once after each `ask_for_room`.
    std::function<void()> on_room = {};
    /// The last call, after `on_open` in any case.
    std::function<void()> on_closed = {};
  };
  struct Options {
    std::string farewell = {};             ///< text that is sent when the server stops
    std::optional<Time> valid_until = {};  ///< then it is closed with 4401
  };

  WebSocket(Handlers handlers, Options options)
      : handlers_(std::move(handlers)), options_(std::move(options)) {}

  /// Queues a text. False when the client is gone, is being closed or left too much: it gets
  /// nothing any more.
  bool send(Text text);
  /// The same for a text that says how something stands (`about`, not 0). Once more than half of
  /// what may wait is there, it takes the place of an older one about the same; where that was
  /// marked `is_first`, `first` is sent instead of `text`.
  bool send_state(std::uint64_t about, bool is_first, Text text, Text first);
  /// `on_room` is to be called when half of what may wait is free, at once if it is.
  void ask_for_room();
  /// Closes it behind what waits. Only the first call counts.
  void close(std::uint16_t code, std::string_view reason);
  [[nodiscard]] bool is_open() const;

  // For the connection that carries it, on its loop.

  struct Closing {
    std::uint16_t code = 0;
    std::string reason = {};
  };
  void attach(std::shared_ptr<Completions> loop, std::uint64_t connection);
  /// Appends frames that wait to `out` until that holds `limit` octets more than before. What it is
  /// to be closed with, once nothing is left to send.
  std::optional<Closing> take(std::string& out, std::size_t limit);
  /// Whether `on_room` is to be called now.
  bool take_room_wish();
  /// The client is gone.
  void detach();
  [[nodiscard]] const Handlers& handlers() const { return handlers_; }
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  enum class Life : std::uint8_t { Open, Closing, Gone };
  struct Waiting {
    Text text;
    std::uint64_t about = 0;
    bool is_first = false;
  };
  bool queue(Waiting waiting, std::unique_lock<std::mutex> lock);
  [[nodiscard]] bool is_half_full() const;
  void announce(std::unique_lock<std::mutex> lock);

  const Handlers handlers_;
  const Options options_;
  mutable std::mutex mutex_;
  Life life_ = Life::Open;  // this and all below guarded by mutex_
  bool announced_ = false;  // the loop knows that there is something
  bool wants_room_ = false;
  std::shared_ptr<Completions> loop_;  // null until attached
  std::uint64_t connection_ = 0;
  std::deque<Waiting> waiting_;
  std::size_t waiting_octets_ = 0;
  Closing closing_;
};

}  // namespace edge::http
