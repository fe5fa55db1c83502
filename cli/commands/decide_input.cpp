// SPDX-License-Identifier: MIT
#include "cli/commands/decide_input.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/problem.h"
#include "core/config/config.h"
#include "core/config/private_file.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

Error not_an_object(std::string_view what) {
  return {ErrorCode::InvalidArgument, fmt::format("{} must be a JSON object", what)};
}

/// Appends the members of a JSON object text; names given again later replace them when read.
Result<void> append_members(json::Writer& out, std::string_view text, std::string_view what) {
  const auto document = json::Document::parse(text, json::kDecision);
  if (!document) {
    Error error = document.error();
    error.message = fmt::format("{}: {}", what, error.message);
    return Failure(std::move(error));
  }
  if (!document->root().is_object()) {
    return Failure(not_an_object(what));
  }
  for (const auto& [name, value] : document->root().members()) {
    out.key(name).value(value);
  }
  return {};
}

/// `--attrs`: JSON itself, a file, or stdin.
Result<std::string> attrs_text(const Call& call) {
  const std::string given = call["attrs"];
  const std::size_t first = given.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && given[first] == '{') {
    return given;
  }
  return call.read(given);
}

}  // namespace

Command& with_datafile_option(Command& command) {
  return command.option({.name = "datafile",
                         .value = "FILE|-",
                         .help = "flags to decide on; default: the configured ones",
                         .env = "EDGE_DATAFILE",
                         .complete = Complete::Files});
}

Command& with_user_options(Command& command) {
  constexpr std::string_view kUser = "User";
  return command
      .option({.name = "user", .letter = 'u', .value = "USER", .help = "for whom", .group = kUser})
      .option({.name = "attr",
               .value = "KV",
               .help = "an attribute: k=text, k:=JSON, k=@FILE",
               .type = Type::KeyValue,
               .repeatable = true,
               .group = kUser})
      .option({.name = "attrs",
               .value = "JSON|FILE|-",
               .help = "attributes as a JSON object; --attr wins",
               .complete = Complete::Files,
               .group = kUser})
      .option({.name = "segment",
               .value = "S",
               .help = "a segment the user is in",
               .repeatable = true,
               .group = kUser})
      .option({.name = "bucketing-id",
               .value = "ID",
               .help = "hashed instead of the user",
               .group = kUser})
      .option({.name = "force",
               .value = "FLAG[/RULE]=VARIATION",
               .help = "a forced decision",
               .repeatable = true})
      .option({.name = "ups",
               .value = "FILE",
               .help = "remember variations there: a JSON object of user profiles",
               .complete = Complete::Files})
      .flag("ignore-ups", "forget what was remembered, also in attributes")
      .flag("enabled-only", "leave out flags that are off (with several flags)")
      .flag("no-variables", "leave out the variables")
      .option({.name = "option",
               .value = "NAME",
               .help = "a decide option by its name in the SDKs",
               .repeatable = true});
}

Result<DatafileSource> datafile_of(Call& call) {
  DatafileSource source{.kind = "file", .from = call["datafile"]};
  if (source.from.empty()) {
    source.from = call.config().resolve(call.config().flags.datafile).string();
  } else if (source.from == "-") {
    source.kind = "stdin";
  }
  const auto text = call.read(source.from);
  if (!text) {
    return Failure(text.error());
  }
  auto datafile = flags::load_datafile(*text);
  if (!datafile) {
    Error error = datafile.error();
    error.message = fmt::format("{}: {}", source.from, error.message);
    return Failure(std::move(error));
  }
  source.datafile = std::move(*datafile);
  return source;
}

Result<std::string> attributes_of(Call& call) {
  json::Writer all;
  all.begin_object();
  if (call.has("attrs")) {
    const auto text = attrs_text(call);
    if (!text) {
      return Failure(text.error());
    }
    if (auto done = append_members(all, *text, "--attrs"); !done) {
      return Failure(done.error());
    }
  }
  const auto pairs = call.pairs("attr");
  if (!pairs) {
    return Failure(pairs.error());
  }
  for (const KeyValue& pair : *pairs) {
    all.key(pair.key).raw(pair.json);
  }
  if (call.has("bucketing-id")) {
    all.member("$opt_bucketing_id", call["bucketing-id"]);
  }
  all.end_object();
  json::Writer unique;
  unique.begin_object();
  if (auto done = append_members(unique, all.text(), "--attr"); !done) {
    return Failure(done.error());
  }
  return unique.end_object().take();
}

Result<flags::Options> options_of(Call& call) {
  flags::Options options{.enabled_flags_only = call.flag("enabled-only"),
                         .ignore_user_profile = call.flag("ignore-ups"),
                         .exclude_variables = call.flag("no-variables")};
  for (const std::string& name : call.all("option")) {
    if (!options.set(name)) {
      return Failure(usage_error(
          fmt::format("--option \"{}\" is none of DISABLE_DECISION_EVENT, ENABLED_FLAGS_ONLY, "
                      "IGNORE_USER_PROFILE_SERVICE, INCLUDE_REASONS, EXCLUDE_VARIABLES",
                      name),
          "option"));
    }
  }
  return options;
}

Result<std::vector<Force>> forces_of(Call& call) {
  std::vector<Force> forces;
  for (const std::string& text : call.all("force")) {
    const std::size_t sign = text.find('=');
    const std::size_t slash = text.substr(0, sign).find('/');
    const std::size_t flag_end = slash == std::string::npos ? sign : slash;
    if (sign == std::string::npos || flag_end == 0) {
      return Failure(
          usage_error(fmt::format("--force \"{}\" is not FLAG[/RULE]=VARIATION", text), "force"));
    }
    Force force{.flag = text.substr(0, flag_end), .variation = text.substr(sign + 1)};
    if (slash != std::string::npos) {
      force.rule = text.substr(slash + 1, sign - slash - 1);
    }
    forces.push_back(std::move(force));
  }
  return forces;
}

Result<std::vector<flags::Expectation>> expectations_of(Call& call) {
  std::vector<flags::Expectation> expectations;
  for (const std::string& text : call.all("expect")) {
    auto expectation = flags::parse_expectation(text);
    if (!expectation) {
      return Failure(usage_error(expectation.error().message, "expect"));
    }
    expectations.push_back(std::move(*expectation));
  }
  return expectations;
}

Result<ProfileFile> ProfileFile::open(const Call& call) {
  ProfileFile file;
  file.path_ = call["ups"];
  std::error_code ignored;  // what cannot be looked at fails when read
  if (file.path_.empty() || !std::filesystem::exists(file.path_, ignored)) {
    return file;
  }
  const auto text = call.read(file.path_);
  if (!text) {
    return Failure(text.error());
  }
  auto document = json::Document::parse(*text, json::kDecision);
  if (!document || !document->root().is_object()) {
    return Failure(document ? not_an_object("--ups " + file.path_) : document.error());
  }
  file.profiles_ = std::make_unique<json::Document>(std::move(*document));
  return file;
}

std::optional<flags::StickyMap> ProfileFile::map_of(std::string_view user) const {
  if (path_.empty()) {
    return std::nullopt;
  }
  const auto profile = profiles_ ? profiles_->root().find(user) : std::nullopt;
  const auto map = profile ? profile->find("experiment_bucket_map") : std::nullopt;
  return map ? flags::sticky_map_of(*map) : flags::StickyMap{};
}

Result<void> ProfileFile::save(std::string_view user, std::string_view bucket_map) const {
  json::Writer out;
  out.begin_object();
  if (profiles_) {
    for (const auto& [name, profile] : profiles_->root().members()) {
      if (name != user) {
        out.key(name).value(profile);
      }
    }
  }
  out.key(user).begin_object().member("user_id", user);
  out.key("experiment_bucket_map").raw(bucket_map).end_object().end_object();
  return config::write_private_file(path_, out.text() + "\n");
}

}  // namespace edge::cli::commands
