// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace edge::http {

class Completions;

/// The body of an answer that has no end yet, written in pieces: server-sent events.
///
/// A handler answers with `Response::stream` and keeps a pointer; from then on whoever has news
/// writes. Pieces wait here until the client takes them; a client that leaves too many is dropped.
/// The time limit for answers that a client does not take is not applied. Thread-safe.
class Stream {
 public:
  struct Options {
    std::size_t max_waiting = 1000;     ///< pieces; one more and the client is dropped
    std::size_t max_octets = SIZE_MAX;  ///< of them
    std::string idle_piece = {};  ///< sent when nothing was for `idle_after`; empty: nothing is
    std::chrono::milliseconds idle_after{15'000};
    // Called on the loop of the connection; they must not block.
    std::function<void()> on_open = {};  ///< the answer is on its way
    /// No more than half of what may wait is left; called once after each `ask_for_room`.
    std::function<void()> on_room = {};
    std::function<void()> on_closed = {};  ///< after `on_open` in any case: the client is gone
  };

  Stream();
  explicit Stream(Options options) : options_(std::move(options)) {}

  /// Adds a piece. False when the client is gone or was dropped: the stream can be forgotten.
  bool write(std::string piece);
  /// `on_room` is to be called when half of what may wait is free, at once if it is.
  void ask_for_room();
  /// Ends the body behind what was written.
  void end();
  /// False when the client is gone, was dropped or the body was ended.
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] const Options& options() const { return options_; }

  // For the connection that sends it, on its loop.

  enum class State : std::uint8_t { Open, Ended, Overrun };
  /// From now on news of the stream wake the loop of that connection.
  void attach(std::shared_ptr<Completions> loop, std::uint64_t connection);
  /// Appends pieces that wait to `out` until that holds `limit` octets more than before; as chunks
  /// of HTTP/1.1 when `chunked`. `Ended` when no more will come.
  State take(std::string& out, bool chunked, std::size_t limit);
  /// Whether `on_room` is to be called now.
  bool take_room_wish();
  /// The client is gone.
  void detach();

 private:
  enum class Life : std::uint8_t { Open, Ending, Overrun, Gone };
  void announce(std::unique_lock<std::mutex> lock);
  [[nodiscard]] bool is_half_full() const;

  const Options options_;
  mutable std::mutex mutex_;
  Life life_ = Life::Open;             // this and all below guarded by mutex_
  bool announced_ = false;             // the loop knows that there is something
  std::shared_ptr<Completions> loop_;  // null until attached
  std::uint64_t connection_ = 0;
  std::deque<std::string> pieces_;
  std::size_t octets_ = 0;  // of the pieces
  bool wants_room_ = false;
};

/// Appends `piece` to `out` as one chunk (RFC 9112 section 7.1); an empty one appends nothing.
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace edge::http
