// SPDX-License-Identifier: MIT
// The datafile that a command works on: a file, stdin, or what a server has.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/call.h"
#include "cli/command.h"
#include "core/flags/datafile.h"
#include "core/flags/record.h"

namespace edge::cli::commands {

/// `--datafile`, `--sdk-key` and `--offline`.
Command& with_datafile_option(Command& command);

/// Whether the arguments or the environment name a datafile.
bool names_datafile(const Call& call);

/// The text of a datafile and where it came from (without digest).
struct DatafileText {
  std::string text = {};
  flags::DatafileOrigin origin = {};
};
Result<DatafileText> read_datafile(Call& call);
/// The same for a place that an argument names: a file, a URL, or `-` for stdin. A server that does
/// not give it stops the command.
Result<DatafileText> read_datafile(Call& call, const std::string& place);

/// A datafile from a server, and whether it is another one than the last time.
struct FetchedText : DatafileText {
  bool is_modified = true;
};
Result<FetchedText> fetch_text(Call& call, const std::string& url);
/// Where the server has the datafile of an SDK key. Failure: usage when it is no key.
Result<std::string> url_of_key(Call& call, const std::string& key);

/// A datafile, loaded.
struct DatafileSource {
  std::shared_ptr<const flags::Datafile> datafile = {};
  flags::DatafileOrigin origin = {};
};
/// Failure: InvalidArgument (exit 3) when it cannot be read or used, also when it has no revision.
Result<DatafileSource> datafile_of(Call& call);
/// One without revision is fine here: every decision is an error decision then.
Result<DatafileSource> load_datafile_text(DatafileText read);

/// The error of a flag that is not in the datafile, with the names that are near.
int fail_unknown_flag(Call& call, const std::string& key, const DatafileSource& source);

}  // namespace edge::cli::commands
