// SPDX-License-Identifier: MIT
#include "daemon/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/ratelimit/limiter.h"
#include "daemon/http/limits.h"
#include "daemon/http/request_parser.h"

namespace edge {
namespace {

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
     "print the limits of the server, exit",
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

std::string limits_text() {
  const http::Limits limits;
  const config::HttpLimits bodies;
  const auto row = [](std::string_view name, auto value, std::string_view unit) {
    return fmt::format("{:<28}{} {}\n", name, value, unit);
  };
  return row("connections", limits.connections, "(or the file limit - 64)") +
         row("connections_per_address", limits.connections_per_address, "(loopback exempt)") +
         row("requests_per_connection", limits.requests_per_connection, "") +
         row("head_time", limits.head_time.count(), "ms") +
         row("first_octet", limits.first_octet.count(), "ms") +
         row("handshake_time", limits.handshake_time.count(), "ms") +
         row("idle", limits.idle.count(), "ms") +
         row("body_time_per_mib", limits.body_time_per_mib.count(), "ms") +
         row("body_grace", limits.body_grace.count(), "ms") +
         row("body_rate", limits.body_octets_per_second, "octets/s") +
         row("body", bodies.body, "octets") + row("auth_body", bodies.auth_body, "octets") +
         row("unsubscribe_body", bodies.unsubscribe_body, "octets") +
         row("write_stall", limits.write_stall.count(), "ms") +
         row("linger", limits.linger.count(), "ms") + row("drain", limits.drain.count(), "ms") +
         row("pool_queue", limits.pool_queue, "jobs") +
         row("limit_keys", ratelimit::Limiter::kMostKeys, "(the oldest are dropped)") +
         row("head", http::kMaxHeadOctets, "octets") +
         row("field", http::kMaxLineOctets, "octets") + row("fields", http::kMaxFields, "") +
         row("target", http::kMaxTargetOctets, "octets") +
         row("waiting_input", http::kMaxWaitingOctets, "octets per connection") +
         row("unsent_output", http::kMaxUnsentOctets, "octets per connection") +
         row("dropped_body", http::kMaxDroppedOctets, "octets");
}

}  // namespace edge
