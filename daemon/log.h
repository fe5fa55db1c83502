// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "core/base/clock.h"

namespace edge {

/// The daemon's log: one line per entry, JSON or text, on a descriptor. Thread-safe.
///
/// Lines gather in memory and one thread writes them, at the latest after 50 ms, so that a slow
/// reader never stops an event loop. When more than 4 MiB wait, lines are dropped and a later line
/// says how many.
class Log {
 public:
  enum class Level : std::uint8_t { Debug, Info, Warn, Error, Off };
  enum class Format : std::uint8_t { Text, Json };
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  struct Options {
    Level level = Level::Info;
    Format format = Format::Text;
    int descriptor = 2;
  };

  static std::optional<Level> level_of(std::string_view name);
  static std::optional<Format> format_of(std::string_view name);

  Log(const Options& options, const Clock& clock);
  ~Log();  ///< writes what waits
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;

  /// `fields` are names and values; control characters in them are escaped. Never secrets.
  void write(Level level, std::string_view message, Fields fields = {});
  void info(std::string_view message, Fields fields = {}) { write(Level::Info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(Level::Warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(Level::Error, message, fields); }

  [[nodiscard]] bool shows(Level level) const {
    return level >= options_.level && level != Level::Off;
  }
  [[nodiscard]] bool is_json() const { return options_.format == Format::Json; }
  /// Adds a whole line, ended by LF.
  void append(std::string_view line);

 private:
  void write_out(const std::stop_token& stop);
  void write_all(std::string_view text) const;

  const Options options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::string waiting_;      // guarded by mutex_
  std::size_t dropped_ = 0;  // guarded by mutex_
  std::jthread writer_;
};

/// Appends `2026-11-23T21:04:05.123Z`.
void append_time(std::string& out, Time time);
/// Appends `text` with control characters, quotes and backslashes escaped as in JSON; octets that
/// are no UTF-8 become `?`.
void append_escaped(std::string& out, std::string_view text);

}  // namespace edge
