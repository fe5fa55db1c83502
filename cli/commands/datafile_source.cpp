// SPDX-License-Identifier: MIT
#include "cli/commands/datafile_source.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/problem.h"
#include "core/config/config.h"
#include "core/config/suggest.h"
#include "core/crypto/digest.h"
#include "core/encoding/hex.h"

namespace edge::cli::commands {

Command& with_datafile_option(Command& command) {
  return command.option({.name = "datafile",
                         .value = "FILE|-",
                         .help = "flags to work on; default: the configured ones",
                         .env = "EDGE_DATAFILE",
                         .complete = Complete::Files});
}

bool names_datafile(const Call& call) {
  return call.has("datafile");
}

Result<DatafileText> read_datafile(Call& call, const std::string& place) {
  auto text = call.read(place);
  if (!text) {
    return Failure(text.error());
  }
  return DatafileText{.text = std::move(*text),
                      .origin = {.kind = place == "-" ? "stdin" : "file", .from = place}};
}

Result<DatafileText> read_datafile(Call& call) {
  const std::string given = call["datafile"];
  return read_datafile(
      call, given.empty() ? call.config().resolve(call.config().flags.datafile).string() : given);
}

Result<DatafileSource> load_datafile_text(DatafileText read) {
  auto datafile = flags::load_datafile(read.text);
  if (!datafile) {
    Error error = datafile.error();
    error.message = fmt::format("{}: {}", read.origin.from, error.message);
    return Failure(std::move(error));
  }
  return DatafileSource{.datafile = std::move(*datafile), .origin = std::move(read.origin)};
}

Result<DatafileSource> datafile_of(Call& call) {
  auto read = read_datafile(call);
  if (!read) {
    return Failure(read.error());
  }
  auto source = load_datafile_text(std::move(*read));
  if (source && !source->datafile->is_ready) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = source->origin.from + ": datafile is not usable: it has no revision",
                    .reason = "invalid_datafile"});
  }
  return source;
}

int fail_unknown_flag(Call& call, const std::string& key, const DatafileSource& source) {
  std::vector<std::string> known;
  for (const flags::Flag& flag : source.datafile->flags) {
    known.emplace_back(flag.key);
  }
  return call.fail({.error = {.code = ErrorCode::NotFound,
                              .message = fmt::format("no flag \"{}\" in {} (revision {}, {} flags)",
                                                     key,
                                                     source.origin.from,
                                                     source.datafile->revision,
                                                     known.size()),
                              .reason = "flag_not_found"},
                    .did_you_mean = config::closest(key, known),
                    .hint = fmt::format("edgectl flags list --datafile {}", source.origin.from)});
}

}  // namespace edge::cli::commands
