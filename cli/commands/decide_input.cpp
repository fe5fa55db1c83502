// SPDX-License-Identifier: MIT
#include "cli/commands/decide_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/problem.h"
#include "core/config/private_file.h"
#include "core/flags/decision.h"
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

namespace {

/// Writes `options` and says whether ENABLED_FLAGS_ONLY was among them.
Result<bool> write_options(const Call& call, json::Writer& out) {
  std::vector<std::string> names = call.all("option");
  for (const auto& [flag, name] : {std::pair{"ignore-ups", "IGNORE_USER_PROFILE_SERVICE"},
                                   std::pair{"no-variables", "EXCLUDE_VARIABLES"}}) {
    if (call.flag(flag)) {
      names.emplace_back(name);
    }
  }
  bool enabled_only = call.flag("enabled-only");
  out.key("options").begin_array();
  for (const std::string& name : names) {
    flags::Options known;
    if (!known.set(name)) {
      return Failure(usage_error(
          fmt::format("--option \"{}\" is none of DISABLE_DECISION_EVENT, ENABLED_FLAGS_ONLY, "
                      "IGNORE_USER_PROFILE_SERVICE, INCLUDE_REASONS, EXCLUDE_VARIABLES",
                      name),
          "option"));
    }
    enabled_only = enabled_only || known.enabled_flags_only;
    if (!known.enabled_flags_only) {
      out.string(name);
    }
  }
  out.end_array();
  return enabled_only;
}

Result<void> write_forces(const Call& call, json::Writer& out) {
  out.key("forcedDecisions").begin_array();
  for (const std::string& text : call.all("force")) {
    const std::size_t sign = text.find('=');
    const std::size_t slash = text.substr(0, sign).find('/');
    const std::size_t flag_end = slash == std::string::npos ? sign : slash;
    if (sign == std::string::npos || flag_end == 0) {
      return Failure(
          usage_error(fmt::format("--force \"{}\" is not FLAG[/RULE]=VARIATION", text), "force"));
    }
    out.begin_object().member("flagKey", text.substr(0, flag_end));
    if (slash != std::string::npos) {
      out.member("ruleKey", text.substr(slash + 1, sign - slash - 1));
    }
    out.member("variationKey", text.substr(sign + 1)).end_object();
  }
  out.end_array();
  return {};
}

Result<std::vector<flags::Expectation>> expectations_of(const Call& call) {
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

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) {
    out.string(text);
  }
  out.end_array();
}

std::vector<std::string> named_flags(const Call& call,
                                     const std::vector<flags::Expectation>& expectations) {
  std::vector<std::string> keys;
  const auto add = [&keys](const std::string& key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.push_back(key);
    }
  };
  for (const std::string& key : call.all("FLAG")) {
    add(key);
  }
  for (const flags::Expectation& expectation : expectations) {
    add(expectation.flag_key);
  }
  return keys;
}

}  // namespace

Result<Question> question_of(Call& call) {
  auto expectations = expectations_of(call);
  if (!expectations) {
    return Failure(expectations.error());
  }
  const std::string user = call["user"];
  json::Writer out;
  out.begin_object().member("userId", user);
  const auto enabled_only = write_options(call, out);
  if (!enabled_only) {
    return Failure(enabled_only.error());
  }
  if (auto done = write_forces(call, out); !done) {
    return Failure(done.error());
  }
  const auto attributes = attributes_of(call);
  if (!attributes) {
    return Failure(attributes.error());
  }
  out.key("attributes").raw(*attributes);
  write_texts(out, "qualifiedSegments", call.all("segment"));
  auto profiles = ProfileFile::open(call);
  if (!profiles) {
    return Failure(profiles.error());
  }
  if (const auto map = profiles->map_of(user)) {
    out.key("userProfile").raw(*map);
  }
  auto keys = named_flags(call, *expectations);
  if (!call.flag("all")) {
    write_texts(out, "keys", keys);
  }
  for (const auto& [option, member] :
       {std::pair<std::string_view, std::string_view>{"explain", "explain"},
        {"send-event", "sendEvent"}}) {
    if (call.flag(option)) {
      out.member(member, true);
    }
  }
  return Question{.record = out.end_object().take(),
                  .keys = std::move(keys),
                  .enabled_only = *enabled_only,
                  .expectations = std::move(*expectations),
                  .profiles = std::move(*profiles)};
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

std::optional<std::string> ProfileFile::map_of(std::string_view user) const {
  if (path_.empty()) {
    return std::nullopt;
  }
  const auto profile = profiles_ ? profiles_->root().find(user) : std::nullopt;
  const auto map = profile ? profile->find("experiment_bucket_map") : std::nullopt;
  return map ? std::string(map->raw()) : "{}";
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
