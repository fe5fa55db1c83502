// SPDX-License-Identifier: MIT
#include "cli/commands/datafile_source.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/problem.h"
#include "cli/secret_sources.h"
#include "core/config/config.h"
#include "core/config/env_file.h"
#include "core/config/secrets.h"
#include "core/config/suggest.h"
#include "core/flags/fetch.h"
#include "core/flags/settings.h"
#include "core/transport/open.h"

namespace edge::cli::commands {

Result<std::string> url_of_key(Call& call, const std::string& key) {
  if (!flags::is_sdk_key(key)) {
    return Failure(usage_error(fmt::format("\"{}\" is no SDK key", key), "sdk-key"));
  }
  const auto settings = flags::read_settings(call.config(), open_secrets(call));
  if (!settings) {
    return Failure(settings.error());
  }
  for (const flags::ProjectSettings& project : settings->projects) {
    if (project.sdk_key == key) {
      return project.place;
    }
  }
  std::string url = call.config().flags.url;
  return url.replace(url.find("%s"), 2, key);
}

namespace {

bool is_url(std::string_view place) {
  return place.starts_with("https://") || place.starts_with("http://");
}

/// Where the datafile is, of the arguments, else of the configuration.
Result<std::string> place_of(Call& call) {
  if (call.has("datafile") && call.has("sdk-key")) {
    return Failure(usage_error("a datafile and an SDK key are named; give one of them"));
  }
  if (call.has("datafile")) {
    return call["datafile"];
  }
  if (call.has("sdk-key")) {
    return url_of_key(call, call["sdk-key"]);
  }
  config::SecretSources sources{.store = call.config().data_dir / "secrets"};
  if (call.has("env-file")) {
    const auto text = call.read(call["env-file"]);
    if (!text) {
      return Failure(text.error());
    }
    auto pairs = config::parse_env_file(*text);
    if (!pairs) {
      return Failure(pairs.error());
    }
    sources.env_file = *std::move(pairs);
  }
  const auto settings = flags::read_settings(call.config(), config::Secrets(std::move(sources)));
  if (!settings) {
    return Failure(settings.error());
  }
  return settings->projects.front().place;
}

Result<DatafileText> read_cached(Call& call, const std::string& url) {
  auto kept = flags::DatafileCache(call.config().cache_dir / "datafiles").find(url);
  if (!kept) {
    return Failure({.code = ErrorCode::InvalidArgument,
                    .message = "no datafile of " + url + " was fetched before",
                    .reason = "not_cached"});
  }
  return DatafileText{.text = std::move(kept->text), .origin = {.kind = "cache", .from = url}};
}

}  // namespace

Command& with_datafile_option(Command& command) {
  constexpr std::string_view kGroup = "Datafile";
  return command
      .option({.name = "datafile",
               .value = "FILE|URL|-",
               .help = "flags to work on; default: the configured ones",
               .env = "EDGE_DATAFILE",
               .complete = Complete::Files,
               .group = kGroup})
      .option({.name = "sdk-key",
               .value = "KEY",
               .help = "fetch the datafile of this SDK key",
               .env = "EDGE_SDK_KEY",
               .group = kGroup})
      .flag({.name = "offline",
             .help = "use what was fetched before, ask no server",
             .group = kGroup})
      .option({.name = "env-file",
               .value = "FILE",
               .help = "secrets as NAME=value lines; OPTIMIZELY_SDK_KEY is the SDK key",
               .complete = Complete::Files,
               .group = kGroup});
}

bool names_datafile(const Call& call) {
  return call.has("datafile") || call.has("sdk-key") || call.has("env-file");
}

Result<FetchedText> fetch_text(Call& call, const std::string& url) {
  const flags::DatafileCache cache(call.config().cache_dir / "datafiles");
  const auto client = transport::open_client(transport::GuardRules::trusted(), call.clock());
  call.detail("via " + url);
  auto fetched = flags::fetch_datafile(*client, cache, url, call.duration("timeout"));
  if (!fetched) {
    throw Stop({.error = fetched.error(), .side = Side::Remote});
  }
  return FetchedText{{.text = std::move(fetched->text), .origin = {.kind = "url", .from = url}},
                     fetched->is_modified};
}

Result<DatafileText> read_datafile(Call& call, const std::string& place) {
  if (is_url(place)) {
    if (call.flag("offline")) {
      return read_cached(call, place);
    }
    auto fetched = fetch_text(call, place);
    return fetched ? Result<DatafileText>(std::move(*fetched))
                   : Result<DatafileText>(Failure(fetched.error()));
  }
  auto text = call.read(place);
  if (!text) {
    return Failure(text.error());
  }
  return DatafileText{.text = std::move(*text),
                      .origin = {.kind = place == "-" ? "stdin" : "file", .from = place}};
}

Result<DatafileText> read_datafile(Call& call) {
  const auto place = place_of(call);
  return place ? read_datafile(call, *place) : Result<DatafileText>(Failure(place.error()));
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
