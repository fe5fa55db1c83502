// SPDX-License-Identifier: MIT
#include "cli/option.h"

namespace edge::cli {
namespace {

constexpr std::string_view kOutput = "Output options";
constexpr std::string_view kPlace = "Where it runs";
constexpr std::string_view kTalk = "Other options";

}  // namespace

const std::vector<Option>& global_options() {
  static const std::vector<Option> kOptions = {
      {.name = "format",
       .letter = 'f',
       .value = "FMT",
       .help = "layout of the result",
       .fallback = "table",
       .env = "EDGE_FORMAT",
       .choices = {"table", "json", "jsonl", "csv", "tsv"},
       .group = kOutput},
      {.name = "json", .help = "the same as --format json", .group = kOutput},
      {.name = "select",
       .value = "PTR",
       .help = "print only what this JSON pointer names in the JSON result",
       .repeatable = true,
       .group = kOutput},
      {.name = "output",
       .letter = 'o',
       .value = "FILE",
       .help = "write the result there",
       .complete = Complete::Files,
       .group = kOutput},
      {.name = "url",
       .value = "URL",
       .help = "ask the daemon at this address",
       .env = "EDGE_URL",
       .group = kPlace},
      {.name = "local", .help = "use the local store, not a running daemon", .group = kPlace},
      {.name = "token-file",
       .value = "FILE",
       .help = "bearer token for --url",
       .env = "EDGE_TOKEN_FILE",
       .complete = Complete::Files,
       .group = kPlace},
      {.name = "timeout",
       .value = "DUR",
       .help = "per network operation",
       .type = Type::Duration,
       .fallback = "10s",
       .env = "EDGE_TIMEOUT",
       .group = kPlace},
      {.name = "config",
       .letter = 'c',
       .value = "FILE",
       .help = "configuration file instead of the one found; none = built-in defaults",
       .env = "EDGE_CONFIG",
       .complete = Complete::Files,
       .group = kPlace},
      {.name = "env",
       .letter = 'e',
       .value = "NAME",
       .help = "overlay [env.NAME] of the configuration",
       .env = "EDGE_ENV",
       .complete = Complete::Environments,
       .group = kPlace},
      {.name = "data-dir",
       .value = "DIR",
       .help = "data directory",
       .env = "EDGE_DATA_DIR",
       .complete = Complete::Directories,
       .group = kPlace},
      {.name = "yes", .letter = 'y', .help = "skip confirmations", .group = kTalk},
      {.name = "no-input", .help = "never ask", .group = kTalk},
      {.name = "quiet", .letter = 'q', .help = "errors only on stderr", .group = kTalk},
      {.name = "verbose",
       .letter = 'v',
       .help = "more on stderr; -vv traces HTTP",
       .repeatable = true,
       .group = kTalk},
      {.name = "color",
       .value = "WHEN",
       .help = "colour",
       .fallback = "auto",
       .choices = {"auto", "always", "never"},
       .group = kTalk},
      {.name = "no-color", .help = "the same as --color never", .group = kTalk},
      {.name = "progress",
       .value = "WHEN",
       .help = "progress on stderr",
       .fallback = "auto",
       .choices = {"auto", "always", "never"},
       .group = kTalk},
      {.name = "no-pager", .help = "no pager for long results", .group = kTalk},
      {.name = "ascii", .help = "no Unicode drawing", .group = kTalk},
      {.name = "help", .letter = 'h', .help = "this text", .group = kTalk},
      {.name = "version", .help = "name and version", .group = kTalk},
  };
  return kOptions;
}

const Option& dry_run_option() {
  static const Option kOption = {.name = "dry-run",
                                 .letter = 'n',
                                 .help = "print what would happen, change nothing",
                                 .group = kTalk};
  return kOption;
}

const Option& input_option() {
  static const Option kOption = {.name = "input",
                                 .letter = 'i',
                                 .value = "FILE",
                                 .help = "read the input there",
                                 .fallback = "-",
                                 .complete = Complete::Files};
  return kOption;
}

}  // namespace edge::cli
