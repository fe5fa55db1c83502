// SPDX-License-Identifier: MIT
// The settings: make the file, look at values and where they came from, change one, check all.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "cli/secret_sources.h"
#include "cli/setup.h"
#include "core/config/keys.h"
#include "core/config/load.h"
#include "core/config/suggest.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

namespace fs = std::filesystem;

std::string json_value(const config::Key& key, const config::Config& settings) {
  const std::string text = config::value_text(key, settings);
  return text.empty() ? "null" : text;  // the TOML of a value is JSON too
}

std::string setting_record(std::string_view key, std::string_view value, std::string_view origin) {
  json::Writer out;
  return out.begin_object()
      .member("key", key)
      .key("value")
      .raw(value)
      .member("origin", origin)
      .end_object()
      .take();
}

std::string items_json(const std::vector<config::Item>& items) {
  std::vector<std::string> texts;
  for (const config::Item& item : items) {
    texts.push_back(item.json);
  }
  return fmt::format("[{}]", fmt::join(texts, ","));
}

Result<int> show(Call& call) {
  const config::Loaded& loaded = call.loaded_config();
  Listing listing{.schema = "edge.config/1",
                  .name = "settings",
                  .columns = {{"KEY", "/key"}, {"VALUE", "/value"}}};
  if (call.flag("origin")) {
    listing.columns.push_back({"ORIGIN", "/origin"});
  }
  for (const config::Key& key : config::keys()) {
    listing.records.push_back(setting_record(
        key.name, json_value(key, loaded.config), loaded.origins.at(std::string(key.name)).text()));
  }
  config::Config copy = loaded.config;
  for (const config::List& list : config::lists()) {
    const auto origin = loaded.origins.find(list.name);
    listing.records.push_back(
        setting_record(list.name,
                       items_json(*list.items(copy)),
                       origin == loaded.origins.end() ? "default" : origin->second.text()));
  }
  for (const SecretState& secret : secret_states(call)) {
    std::string value;
    json::append_string(value, secret.shown);
    listing.records.push_back(setting_record("secret " + secret.name, value, secret.origin));
  }
  return call.print(listing);
}

/// A plain text for a script: texts bare, lists one element per line.
std::string bare(json::Value value) {
  if (value.is_array()) {
    std::string lines;
    for (const json::Value element : value.elements()) {
      lines += bare(element);
    }
    return lines;
  }
  return fmt::format("{}\n", value.as_string().value_or(value.raw()));
}

Result<int> get(Call& call) {
  const std::string name = call["KEY"];
  const config::Key* key = config::find_key(name);
  if (key == nullptr) {
    std::vector<std::string> known;
    for (const config::Key& one : config::keys()) {
      known.emplace_back(one.name);
    }
    return call.fail({.error = {ErrorCode::NotFound, fmt::format("no key '{}'", name), "KEY"},
                      .did_you_mean = config::closest(name, known),
                      .hint = "edgectl config show"});
  }
  const config::Loaded& loaded = call.loaded_config();
  const std::string value = json_value(*key, loaded.config);
  const auto parsed = json::Document::parse(value, json::kStrict);
  json::Writer out;
  out.begin_object().member("schema", "edge.config-value/1").member("key", name).key("value");
  out.raw(value).member("origin", loaded.origins.at(name).text()).end_object();
  return call.print(
      Document{.json = out.take(), .human = parsed ? bare(parsed->root()) : value + "\n"});
}

Error no_file() {
  return {ErrorCode::NotFound, "no edge.toml found here, in the user's or in the system's place"};
}

Result<int> set(Call& call) {
  const fs::path file = config::find_file(call.config_sources());
  if (file.empty()) {
    return call.fail({.error = no_file(), .hint = "edgectl config init"});
  }
  const auto text = call.read(file.string());
  if (!text) {
    return Failure(text.error());
  }
  const auto changed = config::with_key(*text, call["KEY"], call["VALUE"]);
  if (!changed) {
    return Failure(changed.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would set {} in {}", call["KEY"], file.string()));
    return exit_code::kDone;
  }
  struct stat status {};
  ::stat(file.c_str(), &status);
  Output out(-1, file.string());
  out.set_mode(status.st_mode & 0777U);
  out.write(*changed);
  out.commit();
  call.note(fmt::format("set {} in {}", call["KEY"], file.string()));
  return exit_code::kDone;
}

Result<int> path(Call& call) {
  const fs::path file = config::find_file(call.config_sources());
  std::error_code ignored;  // a file that cannot be looked at is not found
  if (file.empty() || !fs::exists(file, ignored)) {
    return call.fail({.error = no_file(), .hint = "edgectl config init"});
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.config-path/1").member("path", file.string());
  out.member("dataDir", config::find_data_dir(call.config_sources()).string()).end_object();
  return call.print(Document{.json = out.take(), .human = file.string() + "\n"});
}

Result<int> validate(Call& call) {
  config::Sources sources = call.config_sources();
  if (call.has("FILE")) {
    sources.file = call["FILE"];
  }
  const auto loaded = config::load(sources);
  if (!loaded) {
    return Failure(loaded.error());
  }
  const std::vector<Finding> findings = examine_config(loaded->config);
  const std::string name =
      loaded->config.file.empty() ? "built-in defaults" : loaded->config.file.string();
  json::Writer out;
  out.begin_object().member("schema", "edge.config-check/1").member("file", name);
  out.member("valid", findings.empty()).key("findings").begin_array();
  std::string human;
  for (const Finding& finding : findings) {
    out.begin_object().member("key", finding.key).member("message", finding.message).end_object();
    human += fmt::format("{}: {}: {}\n", name, finding.key, finding.message);
  }
  out.end_array().end_object();
  const auto printed =
      call.print(Document{.json = out.take(), .human = human.empty() ? name + ": ok\n" : human});
  if (!printed) {
    return printed;
  }
  return findings.empty() ? exit_code::kDone : exit_code::kNo;
}

Result<int> init(Call& call) {
  const std::string named = call["config"];
  const fs::path file = named.empty() ? fs::path("edge.toml") : fs::path(named);
  std::error_code ignored;  // a path that cannot be looked at fails when it is written
  if (fs::exists(file, ignored) && !call.flag("force")) {
    return call.fail({.error = {ErrorCode::Unavailable,
                                fmt::format("'{}' is there already", file.string()),
                                "config",
                                "file_exists"},
                      .hint = "edgectl config init --force"});
  }
  if (call.dry_run()) {
    call.note(fmt::format("would write {} and make missing keys", file.string()));
    return exit_code::kDone;
  }
  const fs::path data_dir = config::find_data_dir(call.config_sources());
  const auto made = make_keys(call, data_dir);
  if (!made) {
    return Failure(made.error());
  }
  if (file.has_parent_path()) {
    fs::create_directories(file.parent_path(), ignored);
  }
  Output out(-1, file.string());
  out.write(config::sample_file());
  out.commit();
  json::Writer json;
  json.begin_object().member("schema", "edge.config-init/1").member("file", file.string());
  json.member("dataDir", data_dir.string()).key("made").begin_array();
  for (const std::string& key : *made) {
    json.string(key);
  }
  json.end_array().end_object();
  const std::string keys =
      made->empty() ? "" : fmt::format(", {} (0600)", fmt::join(*made, " and "));
  return call.print(
      Document{.json = json.take(),
               .human = fmt::format("wrote {}{}   next: edgectl up · edgectl doctor · "
                                    "edgectl help\n",
                                    file.string(),
                                    keys)});
}

void declare_reading(Tree& tree) {
  tree.command("config show", "Print every setting")
      .flag("origin", "also where each value came from")
      .example("config show --origin", "what holds, and why")
      .example("config show --env staging --json", "with an overlay, for a script")
      .output(
          "config",
          R"({"type":"object","required":["schema","settings"],"properties":{)"
          R"("schema":{"const":"edge.config/1"},"settings":{"type":"array","items":{"type":"object",)"
          R"("required":["key","value","origin"],"properties":{"key":{"type":"string"},"value":{},)"
          R"("origin":{"type":"string"}}}}}})")
      .exits(exit_code::kBadInput, "the configuration is wrong")
      .see("edge.toml(5)")
      .runs(show);
  tree.command("config get", "Print one setting")
      .positional({.name = "KEY", .help = "such as server.listen", .required = true})
      .example("config get server.listen", "one address per line")
      .output("config-value",
              R"({"type":"object","required":["schema","key","value","origin"],"properties":{)"
              R"("schema":{"const":"edge.config-value/1"},"key":{"type":"string"},"value":{},)"
              R"("origin":{"type":"string"}}})")
      .exits(exit_code::kNotFound, "no such key")
      .see("edge.toml(5)")
      .runs(get);
  tree.command("config path", "Print which configuration file is used")
      .example("config path", "the first found of ./edge.toml, the user's and the system's")
      .output(
          "config-path",
          R"({"type":"object","required":["schema","path","dataDir"],"properties":{)"
          R"("schema":{"const":"edge.config-path/1"},"path":{"type":"string"},"dataDir":{"type":"string"}}})")
      .exits(exit_code::kNotFound, "there is none; the defaults are used")
      .runs(path);
  tree.command("config validate", "Check a configuration and what it points at")
      .positional({.name = "FILE", .help = "instead of the one found", .complete = Complete::Files})
      .example("config validate", "the one that is used")
      .example("config validate edge.toml --env staging", "a file with an overlay")
      .output(
          "config-check",
          R"({"type":"object","required":["schema","file","valid","findings"],"properties":{)"
          R"("schema":{"const":"edge.config-check/1"},"file":{"type":"string"},"valid":{"type":"boolean"},)"
          R"("findings":{"type":"array","items":{"type":"object","required":["key","message"]}}}})")
      .exits(exit_code::kNo, "a setting cannot work")
      .exits(exit_code::kBadInput, "the file cannot be read or has an unknown key")
      .runs(validate);
}

}  // namespace

void config(Tree& tree) {
  tree.noun("config", Section::Setup, "The settings of edgectl and edged");
  tree.command("config init", "Make edge.toml and the keys")
      .flag("force", "replace a file that is there")
      .changes()
      .about(
          "Writes ./edge.toml (or the file of --config) with every key at its default, and a pixel "
          "key ring "
          "and a JWT key into the data directory. Keys that are there stay as they are.")
      .example("config init", "in this directory")
      .example("config init --config /etc/edgectl/edge.toml", "somewhere else")
      .output(
          "config-init",
          R"({"type":"object","required":["schema","file","dataDir","made"],"properties":{)"
          R"("schema":{"const":"edge.config-init/1"},"file":{"type":"string"},"dataDir":{"type":"string"},)"
          R"("made":{"type":"array","items":{"type":"string"}}}})")
      .exits(exit_code::kLocalResource, "the file is there already, or cannot be written")
      .see("edge.toml(5)")
      .runs(init);
  declare_reading(tree);
  tree.command("config set", "Change one setting in the file")
      .positional({.name = "KEY", .help = "such as server.listen", .required = true})
      .positional({.name = "VALUE", .help = "plain text; lists with commas", .required = true})
      .changes()
      .about("Everything else in the file stays as it is, comments too.")
      .example("config set store.durability normal", "one text")
      .example("config set server.listen 127.0.0.1:9100,127.0.0.1:9200", "a list")
      .exits(exit_code::kBadInput, "no such key, or the value does not fit")
      .exits(exit_code::kNotFound, "there is no file yet")
      .see("edge.toml(5)")
      .runs(set);
}

}  // namespace edge::cli::commands
