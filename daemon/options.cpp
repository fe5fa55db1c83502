// SPDX-License-Identifier: MIT
#include "daemon/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "daemon/http/limits.h"
#include "daemon/http/request_parser.h"

namespace edge {
namespace {

constexpr int kMisuse = 2;

struct Texts {
  std::vector<std::string> listen;
  std::string log_format = "text";
  std::string log_level = "info";
  bool demo = false;
  bool check = false;
  bool print_config = false;
  bool print_limits = false;
};

void declare(CLI::App& app, CommandLine& line, Texts& texts) {
  app.add_option("-c,--config", line.sources.file, "configuration file; none = built-in defaults");
  app.add_option("-e,--env", line.sources.overlay, "overlay [env.NAME] of the file");
  app.add_option("--env-file", line.env_file, "file of NAME=value lines with secrets");
  app.add_option("--listen", texts.listen, "ADDRESS:PORT to listen at; repeatable; port 0 = any")
      ->expected(1)
      ->take_all();
  app.add_option("--data-dir", line.sources.data_dir, "directory of the store, keys and secrets");
  app.add_flag("--demo", texts.demo, "demo mode: loopback only, several checks are softer");
  app.add_flag(
      "--behind-proxy", line.consent.behind_proxy, "a trusted proxy speaks TLS for this daemon");
  app.add_flag(
      "--insecure-http", line.consent.insecure_http, "listen beyond this machine without TLS");
  app.add_flag("--allow-insecure-permissions",
               line.allow_insecure_permissions,
               "accept secret files that others may read");
  app.add_flag(
      "--check-config", texts.check, "read the configuration, say whether it is good, exit");
  app.add_flag(
      "--print-config", texts.print_config, "print every setting and where it came from, exit");
  app.add_flag("--print-limits", texts.print_limits, "print the limits of the server, exit");
  app.add_option("--log-format", texts.log_format, "text or json");
  app.add_option("--log-level", texts.log_level, "debug, info, warn, error or off");
  app.add_option("--pid-file", line.pid_file, "file to write the process id to");
  app.set_version_flag("--version", std::string("edged ") + EDGE_VERSION);
}

}  // namespace

std::variant<CommandLine, EarlyExit> read_command_line(int count, const char* const* arguments) {
  CommandLine line;
  Texts texts;
  CLI::App app("edged: the edgectl daemon", "edged");
  declare(app, line, texts);
  try {
    app.parse(count, arguments);
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return EarlyExit{0, std::string("edged ") + EDGE_VERSION + "\n"};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{kMisuse, fmt::format("edged: {}\n  try: edged --help\n", error.what())};
  }
  const auto level = Log::level_of(texts.log_level);
  const auto format = Log::format_of(texts.log_format);
  if (!level || !format) {
    return EarlyExit{kMisuse,
                     fmt::format("edged: \"{}\" is no log {}\n",
                                 level ? texts.log_format : texts.log_level,
                                 level ? "format" : "level")};
  }
  line.log.level = *level;
  line.log.format = *format;
  if (!texts.listen.empty()) {
    line.sources.flags.emplace_back("server.listen",
                                    fmt::format("{}", fmt::join(texts.listen, ",")));
  }
  if (texts.demo) {
    line.sources.flags.emplace_back("auth.mode", "demo");
  }
  line.action = texts.print_limits   ? CommandLine::Action::PrintLimits
                : texts.print_config ? CommandLine::Action::PrintConfig
                : texts.check        ? CommandLine::Action::CheckConfig
                                     : CommandLine::Action::Serve;
  return line;
}

std::string limits_text() {
  const http::Limits limits;
  const auto row = [](std::string_view name, auto value, std::string_view unit) {
    return fmt::format("{:<28}{} {}\n", name, value, unit);
  };
  return row("connections", limits.connections, "(or the file limit - 64)") +
         row("connections_per_address", limits.connections_per_address, "(loopback exempt)") +
         row("requests_per_connection", limits.requests_per_connection, "") +
         row("head_time", limits.head_time.count(), "ms") +
         row("first_octet", limits.first_octet.count(), "ms") +
         row("idle", limits.idle.count(), "ms") +
         row("body_time_per_mib", limits.body_time_per_mib.count(), "ms") +
         row("body_slowest", limits.body_octets_per_second, "octets/s") +
         row("write_stall", limits.write_stall.count(), "ms") +
         row("linger", limits.linger.count(), "ms") + row("drain", limits.drain.count(), "ms") +
         row("pool_queue", limits.pool_queue, "jobs") +
         row("head", http::kMaxHeadOctets, "octets") +
         row("field", http::kMaxLineOctets, "octets") + row("fields", http::kMaxFields, "") +
         row("target", http::kMaxTargetOctets, "octets") +
         row("waiting_input", http::kMaxWaitingOctets, "octets per connection") +
         row("unsent_output", http::kMaxUnsentOctets, "octets per connection") +
         row("dropped_body", http::kMaxDroppedOctets, "octets");
}

}  // namespace edge
