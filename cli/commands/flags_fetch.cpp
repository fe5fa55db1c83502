// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/commands/datafile_source.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/flags/datafile.h"

namespace edge::cli::commands {
namespace {

/// Whether the file that is to be written holds the text already.
bool is_there(const Call& call, const std::string& text) {
  const std::string path = call["output"];
  if (path.empty() || path == "-") {
    return false;
  }
  const auto present = call.read(path);
  return present && *present == text;
}

Result<int> fetch_datafile_of(Call& call) {
  const auto url = url_of_key(call, call["sdk-key"]);
  if (!url) {
    return Failure(url.error());
  }
  const auto fetched = fetch_text(call, *url);
  if (!fetched) {
    return Failure(fetched.error());
  }
  if (const auto datafile = flags::load_datafile(fetched->text); !datafile) {
    Error error = datafile.error();
    error.message = *url + ": " + error.message;
    return Failure(std::move(error));
  }
  if (!fetched->is_modified) {
    call.note("not modified");
  }
  if (is_there(call, fetched->text)) {
    call.out().keep();
  } else {
    call.out().write(fetched->text);
  }
  return exit_code::kDone;
}

}  // namespace

void flags_fetch(Tree& tree) {
  tree.command("flags fetch", "Fetch the datafile of an SDK key")
      .about(
          "It is kept with its ETag, so that an unchanged one is not sent again; then stderr "
          "says \"not modified\", and a file of -o that holds it already is not touched.")
      .option({.name = "sdk-key",
               .value = "KEY",
               .help = "whose datafile; it is at flags.url of the configuration",
               .required = true,
               .env = "EDGE_SDK_KEY"})
      .example("flags fetch --sdk-key 7Hxd9LmrVJ2b -o flags/prod.json",
               "keep a copy in the project")
      .exits(exit_code::kBadInput, "what the server has is no datafile")
      .exits(exit_code::kNotAllowed, "the server does not give it to this key")
      .exits(exit_code::kNotFound, "no datafile for this key")
      .exits(exit_code::kUnreachable, "the server cannot be reached")
      .runs(fetch_datafile_of);
}

}  // namespace edge::cli::commands
