// SPDX-License-Identifier: MIT
#include "daemon/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/queues/waiting_pulls.h"
#include "core/ratelimit/limiter.h"
#include "daemon/http/limits.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/websocket.h"
#include "daemon/http/websocket_frames.h"
#include "daemon/routes/room_session.h"

namespace edge {
namespace {

using routes::kMessageBurst;
using routes::kMessagesPerSecond;

constexpr int kMisuse = 2;

/// One flag: its name, the word for its value (empty: it has none), help, and what it does.
struct Flag {
  std::string_view name;
  std::string_view value;
  std::string_view help;
  bool (*apply)(CommandLine& line, const std::string& value);  ///< false: the value is wrong
};

bool add_listen(CommandLine& line, const std::string& value) {
  for (auto& [key, text] : line.sources.flags) {
    if (key == "server.listen") {
      text += "," + value;
      return true;
    }
  }
  line.sources.flags.emplace_back("server.listen", value);
  return true;
}

bool set_level(CommandLine& line, const std::string& value) {
  const auto level = Log::level_of(value);
  line.log.level = level.value_or(line.log.level);
  return level.has_value();
}

bool set_format(CommandLine& line, const std::string& value) {
  const auto format = Log::format_of(value);
  line.log.format = format.value_or(line.log.format);
  return format.has_value();
}

template <auto Member>
bool set_source(CommandLine& line, const std::string& value) {
  line.sources.*Member = value;
  return true;
}

template <auto Member>
bool set_text(CommandLine& line, const std::string& value) {
  line.*Member = value;
  return true;
}

template <CommandLine::Action Chosen>
bool choose(CommandLine& line, const std::string& /*value*/) {
  line.action = Chosen;
  return true;
}

template <auto Member>
bool consent(CommandLine& line, const std::string& /*value*/) {
  line.consent.*Member = true;
  return true;
}

const std::array<Flag, 15> kFlags = {{
    {"--config",
     "FILE",
     "configuration file; none = built-in defaults",
     set_source<&config::Sources::file>},
    {"--env", "NAME", "overlay [env.NAME] of the file", set_source<&config::Sources::overlay>},
    {"--env-file",
     "FILE",
     "file of NAME=value lines with secrets",
     set_text<&CommandLine::env_file>},
    {"--listen", "ADDR:PORT", "where to listen; repeatable; port 0 = any free one", add_listen},
    {"--data-dir",
     "DIR",
     "directory of the store, keys and secrets",
     set_source<&config::Sources::data_dir>},
    {"--demo",
     "",
     "demo mode: loopback only, several checks are softer",
     [](CommandLine& line, const std::string& /*value*/) {
       line.sources.flags.emplace_back("auth.mode", "demo");
       return true;
     }},
    {"--behind-proxy",
     "",
     "a trusted proxy speaks TLS for this daemon",
     consent<&BindConsent::behind_proxy>},
    {"--insecure-http",
     "",
     "listen beyond this machine without TLS",
     consent<&BindConsent::insecure_http>},
    {"--allow-insecure-permissions",
     "",
     "accept secret files that others may read",
     [](CommandLine& line, const std::string& /*value*/) {
       line.allow_insecure_permissions = true;
       return true;
     }},
    {"--check-config",
     "",
     "read the configuration, say whether it is good, exit",
     choose<CommandLine::Action::CheckConfig>},
    {"--print-config",
     "",
     "print every setting and where it came from, exit",
     choose<CommandLine::Action::PrintConfig>},
    {"--print-limits",
     "",
     "print the limits of the server, by default and as configured, exit",
     choose<CommandLine::Action::PrintLimits>},
    {"--log-format", "FORMAT", "text or json", set_format},
    {"--log-level", "LEVEL", "debug, info, warn, error or off", set_level},
    {"--pid-file", "FILE", "file to write the process id to", set_text<&CommandLine::pid_file>},
}};

const Flag* find_flag(std::string_view name) {
  const auto* const found = std::ranges::find(kFlags, name, &Flag::name);
  return found == kFlags.end() ? nullptr : &*found;
}

std::string help_text() {
  std::string out = "usage: edged [FLAG]...\nThe edgectl daemon. It stays in the foreground.\n\n";
  const auto add = [&](std::string_view name, std::string_view value, std::string_view help) {
    out += fmt::format("  {:<32}{}\n", fmt::format("{} {}", name, value), help);
  };
  for (const Flag& flag : kFlags) {
    add(flag.name, flag.value, flag.help);
  }
  add("--version", "", "print the version");
  add("-h, --help", "", "print this");
  return out;
}

EarlyExit misuse(const std::string& message) {
  return {kMisuse, fmt::format("edged: {}\n  try: edged --help\n", message)};
}

}  // namespace

std::variant<CommandLine, EarlyExit> read_command_line(std::span<const char* const> arguments) {
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      return EarlyExit{0, help_text()};
    }
    if (argument == "--version") {
      return EarlyExit{0, std::string("edged ") + EDGE_VERSION + "\n"};
    }
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view spelled = argument.substr(0, equals);
    const Flag* flag = find_flag(spelled == "-c"   ? "--config"
                                 : spelled == "-e" ? "--env"
                                                   : spelled);
    if (flag == nullptr) {
      return misuse(fmt::format("no flag \"{}\"", spelled));
    }
    std::string value(argument.substr(std::min(equals + 1, argument.size())));
    const bool is_given = equals < argument.size();
    if (flag->value.empty() && is_given) {
      return misuse(fmt::format("{} takes no value", spelled));
    }
    if (!flag->value.empty() && !is_given) {
      if (++i == arguments.size()) {
        return misuse(fmt::format("{} needs {}", spelled, flag->value));
      }
      value = arguments[i];
    }
    if (!flag->apply(line, value)) {
      return misuse(fmt::format("\"{}\" is no value for {}", value, spelled));
    }
  }
  return line;
}

std::string limits_text(const http::Limits& now, const config::HttpLimits& bodies) {
  const http::Limits usual;
  const config::HttpLimits usual_bodies;
  std::string out;
  const auto row = [&out](
                       std::string_view name, auto by_default, auto value, std::string_view unit) {
    out += fmt::format("{:<28}{:<12}{:<12}{}\n", name, by_default, value, unit);
  };
  const auto fixed = [&row](std::string_view name, auto value, std::string_view unit) {
    row(name, value, value, unit);
  };
  const auto time = [&row](std::string_view name,
                           std::chrono::milliseconds by_default,
                           std::chrono::milliseconds value) {
    row(name, by_default.count(), value.count(), "ms");
  };
  row("limit", "default", "configured", "unit");
  row("connections", usual.connections, now.connections, "(or the file limit - 64)");
  row("connections_per_address",
      usual.connections_per_address,
      now.connections_per_address,
      "(loopback exempt)");
  row("requests_per_connection", usual.requests_per_connection, now.requests_per_connection, "");
  time("head_time", usual.head_time, now.head_time);
  time("first_octet", usual.first_octet, now.first_octet);
  time("handshake_time", usual.handshake_time, now.handshake_time);
  time("idle", usual.idle, now.idle);
  time("body_time_per_mib", usual.body_time_per_mib, now.body_time_per_mib);
  time("body_grace", usual.body_grace, now.body_grace);
  row("body_rate", usual.body_octets_per_second, now.body_octets_per_second, "octets/s");
  row("body", usual_bodies.body, bodies.body, "octets");
  row("auth_body", usual_bodies.auth_body, bodies.auth_body, "octets");
  row("unsubscribe_body", usual_bodies.unsubscribe_body, bodies.unsubscribe_body, "octets");
  time("write_stall", usual.write_stall, now.write_stall);
  time("linger", usual.linger, now.linger);
  time("drain", usual.drain, now.drain);
  row("pool_queue", usual.pool_queue, now.pool_queue, "jobs");
  fixed("limit_keys", ratelimit::Limiter::kMostKeys, "(the oldest are dropped)");
  fixed("queues", queues::kMaxQueues, "");
  fixed("queue_message", queues::kMaxMessageBytes, "octets");
  fixed("queue_send", queues::kMaxSendBytes, "octets of one batch");
  fixed("queue_backlog", queues::kMaxBacklogBytes, "octets of each queue, then 429");
  fixed("queue_waiting_pulls", queues::WaitingPulls::kMost, "(then 429)");
  fixed("queue_concurrency", queues::kMaxConcurrency, "requests to one push consumer");
  fixed("head", http::kMaxHeadOctets, "octets");
  fixed("field", http::kMaxLineOctets, "octets");
  fixed("fields", http::kMaxFields, "");
  fixed("target", http::kMaxTargetOctets, "octets");
  fixed("waiting_input", http::kMaxWaitingOctets, "octets per connection");
  fixed("unsent_output", http::kMaxUnsentOctets, "octets per connection");
  fixed("dropped_body", http::kMaxDroppedOctets, "octets");
  fixed("socket_message", http::kMaxMessageOctets, "octets");
  fixed("socket_waiting", http::kMaxWaitingFrames, "frames per connection");
  fixed("socket_waiting_octets", http::kMaxWaitingFrameOctets, "octets per connection");
  fixed("socket_messages", kMessagesPerSecond, "per second and connection of a room");
  fixed("socket_burst", kMessageBurst, "messages at once");
  fixed("room_members", state::kMaxMembers, "");
  fixed("room_waiting", state::kMaxWaitingPublications, "events on their way in a room");
  fixed("room_waiting_octets", state::kMaxWaitingBytes, "octets of them");
  fixed("room_history", state::kHistoryEvents, "events, or those of 24 hours");
  fixed("socket_ping", usual.ping_every.count(), "ms (two missed end it)");
  return out;
}

}  // namespace edge
