// SPDX-License-Identifier: MIT
#include "daemon/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "core/encoding/utf8.h"

namespace edge {
namespace {

constexpr std::size_t kMaxWaiting = std::size_t{4} << 20U;
constexpr std::size_t kWriteAtOnce = std::size_t{64} << 10U;
constexpr std::chrono::milliseconds kPatience{50};
constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error", "off"};

void append_digits(std::string& out, unsigned value, unsigned width) {
  std::array<char, 4> digits{};
  for (unsigned i = width; i > 0; --i) {
    digits[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(digits.data(), width);
}

}  // namespace

void append_time(std::string& out, Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const auto ms = static_cast<unsigned>((time - day).count());
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, ms / 3'600'000, 2);
  out += ':';
  append_digits(out, ms / 60'000 % 60, 2);
  out += ':';
  append_digits(out, ms / 1000 % 60, 2);
  out += '.';
  append_digits(out, ms % 1000, 3);
  out += 'Z';
}

void append_escaped(std::string& out, std::string_view text) {
  const bool utf8 = encoding::is_utf8(text);
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", octet);
    } else if (octet >= 0x80 && !utf8) {
      out += '?';
    } else {
      if (c == '"' || c == '\\') {
        out += '\\';
      }
      out += c;
    }
  }
}

std::optional<Log::Level> Log::level_of(std::string_view name) {
  const auto* const found = std::ranges::find(kLevels, name);
  return found == kLevels.end() ? std::nullopt
                                : std::optional(static_cast<Level>(found - kLevels.begin()));
}

std::optional<Log::Format> Log::format_of(std::string_view name) {
  return name == "json"   ? std::optional(Format::Json)
         : name == "text" ? std::optional(Format::Text)
                          : std::nullopt;
}

Log::Log(const Options& options, const Clock& clock)
    : options_(options),
      clock_(clock),
      writer_([this](const std::stop_token& stop) { write_out(stop); }) {}

Log::~Log() {
  writer_.request_stop();
  writer_.join();
}

void Log::write(Level level, std::string_view message, Fields fields) {
  if (!shows(level)) {
    return;
  }
  const std::string_view name = kLevels[static_cast<std::size_t>(level)];
  std::string line = is_json() ? R"({"time":")" : "";
  append_time(line, clock_.now());
  line.append(is_json() ? R"(","level":")" : " ")
      .append(name)
      .append(is_json() ? R"(","message":")" : " ");
  append_escaped(line, message);
  for (const auto& [key, value] : fields) {
    line.append(is_json() ? R"(",")" : " ").append(key).append(is_json() ? R"(":")" : "=\"");
    append_escaped(line, value);
    line.append(is_json() ? "" : "\"");
  }
  append(line.append(is_json() ? "\"}\n" : "\n"));
}

void Log::append(std::string_view line) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() > kMaxWaiting) {
      ++dropped_;
      return;
    }
    waiting_.append(line);
    wake = waiting_.size() >= kWriteAtOnce && waiting_.size() - line.size() < kWriteAtOnce;
  }
  if (wake) {
    ready_.notify_one();
  }
}

void Log::write_out(const std::stop_token& stop) {
  std::string taken;
  bool last = false;
  while (!last) {
    last = stop.stop_requested();
    std::size_t dropped = 0;
    {
      std::unique_lock lock(mutex_);
      if (!last) {
        ready_.wait_for(lock, stop, kPatience, [this] { return waiting_.size() >= kWriteAtOnce; });
      }
      taken.swap(waiting_);
      dropped = std::exchange(dropped_, 0);
    }
    write_all(taken);
    taken.clear();
    if (dropped > 0) {
      warn("log lines were dropped", {{"lines", std::to_string(dropped)}});
    }
  }
}

void Log::write_all(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::write(options_.descriptor, text.data(), text.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return;  // nobody reads the log; the daemon goes on
    }
    text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
}

}  // namespace edge
