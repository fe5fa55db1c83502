// SPDX-License-Identifier: MIT
#include "core/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/config/keys.h"
#include "core/config/suggest.h"
#include "core/config/toml_file.h"

namespace edge::config {
namespace {

namespace fs = std::filesystem;

Error invalid(std::string message, std::string field = {}) {
  return {ErrorCode::InvalidArgument, std::move(message), std::move(field), "config_invalid"};
}

std::string environment_of(const Sources& sources, const char* name) {
  return sources.environment(name).value_or("");
}

bool is_section(std::string_view path) {
  return std::any_of(keys().begin(), keys().end(), [path](const Key& key) {
    return key.name.size() > path.size() && key.name.starts_with(path) &&
           key.name[path.size()] == '.';
  });
}

/// Puts the values of one table of the file (or of an overlay) into a configuration.
class Reader {
 public:
  Reader(Loaded& into, std::string file, Origin::From from)
      : into_(into), file_(std::move(file)), from_(from) {}

  Result<void> read(const std::vector<TomlNode>& members, const std::string& prefix) {
    for (const TomlNode& node : members) {
      const std::string path = prefix.empty() ? node.name : prefix + "." + node.name;
      if (const auto verdict = read_one(node, path); !verdict) {
        return verdict;
      }
    }
    return {};
  }

 private:
  Result<void> read_one(const TomlNode& node, const std::string& path) {
    if (const Key* key = find_key(path)) {
      return set(*key, node);
    }
    for (const List& list : lists()) {
      if (list.name == path) {
        return set_list(list, node);
      }
    }
    if (is_section(path)) {
      if (node.kind != TomlKind::Table) {
        return Failure(invalid(fmt::format("{}: '{}' is a table", where(node), path), path));
      }
      return read(node.members, path);
    }
    return Failure(unknown(node, path));
  }

  Result<void> set(const Key& key, const TomlNode& node) {
    const Slot slot = key.slot(into_.config);
    Result<void> verdict;
    if (auto* const* texts = std::get_if<std::vector<std::string>*>(&slot)) {
      if (node.kind != TomlKind::Texts) {
        return Failure(wrong_type(key, node, "a list of texts"));
      }
      **texts = node.texts;
    } else if (std::holds_alternative<std::string*>(slot) ||
               std::holds_alternative<std::chrono::milliseconds*>(slot)) {
      if (node.kind != TomlKind::Text) {
        return Failure(wrong_type(key, node, "a text in quotes"));
      }
      verdict = set_from_text(key, node.text, into_.config);
    } else if (std::holds_alternative<std::int64_t*>(slot)) {
      if (node.kind != TomlKind::Whole) {
        return Failure(wrong_type(key, node, "a whole number"));
      }
      verdict = set_from_text(key, node.text, into_.config);
    } else {
      if (node.kind != TomlKind::Boolean) {
        return Failure(wrong_type(key, node, "true or false"));
      }
      verdict = set_from_text(key, node.text, into_.config);
    }
    if (!verdict) {
      return Failure(invalid(fmt::format("{}: {}", where(node), verdict.error().message),
                             std::string(key.name)));
    }
    into_.origins[std::string(key.name)] = {from_, fmt::format("{}:{}", file_, node.line)};
    return {};
  }

  Result<void> set_list(const List& list, const TomlNode& node) {
    const bool is_empty_list = node.kind == TomlKind::Texts && node.texts.empty();
    if (node.kind != TomlKind::Tables && !is_empty_list) {
      return Failure(invalid(
          fmt::format("{}: '{}' is a list of tables: [[{}]]", where(node), list.name, list.name),
          std::string(list.name)));
    }
    std::vector<Item>& items = *list.items(into_.config);
    items.clear();
    for (std::size_t i = 0; i < node.tables.size(); ++i) {
      items.push_back({node.tables[i], fmt::format("{}:{}", file_, node.table_lines[i])});
    }
    into_.origins[std::string(list.name)] = {from_, fmt::format("{}:{}", file_, node.line)};
    return {};
  }

  [[nodiscard]] std::string where(const TomlNode& node) const {
    return fmt::format("{}:{}:{}", file_, node.line, node.column);
  }

  [[nodiscard]] Error wrong_type(const Key& key,
                                 const TomlNode& node,
                                 std::string_view expected) const {
    return invalid(fmt::format("{}: '{}' must be {}", where(node), key.name, expected),
                   std::string(key.name));
  }

  [[nodiscard]] Error unknown(const TomlNode& node, const std::string& path) const {
    std::vector<std::string> known;
    for (const Key& key : keys()) {
      known.emplace_back(key.name);
      known.emplace_back(key.name.substr(0, key.name.find('.')));
    }
    for (const List& list : lists()) {
      known.emplace_back(list.name);
    }
    const std::vector<std::string> near = closest(path, known);
    return invalid(
        fmt::format("{}: unknown key '{}'{}",
                    where(node),
                    path,
                    near.empty() ? std::string() : fmt::format(", did you mean '{}'?", near[0])),
        path);
  }

  Loaded& into_;
  std::string file_;
  Origin::From from_;
};

/// The overlays of a file; each is checked, the chosen one is applied.
Result<void> read_overlays(const TomlNode& env, const std::string& file, Loaded& loaded) {
  for (const TomlNode& overlay : env.members) {
    if (overlay.kind != TomlKind::Table) {
      return Failure(
          invalid(fmt::format("{}:{}: 'env.{}' is a table", file, overlay.line, overlay.name)));
    }
    loaded.overlays.push_back(overlay.name);
    std::vector<TomlNode> members = overlay.members;
    const bool chosen = overlay.name == loaded.config.overlay;
    const auto mark = std::find_if(members.begin(), members.end(), [](const TomlNode& node) {
      return node.name == "protected" && node.kind == TomlKind::Boolean;
    });
    if (mark != members.end()) {
      loaded.config.is_protected = chosen ? mark->text == "true" : loaded.config.is_protected;
      members.erase(mark);
    }
    Loaded unused;
    const auto verdict =
        Reader(chosen ? loaded : unused, file, Origin::From::Overlay).read(members, "");
    if (!verdict) {
      return verdict;
    }
  }
  return {};
}

Result<void> read_file(const fs::path& path, Loaded& loaded) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) {
    return Failure(invalid(fmt::format("cannot read configuration '{}'", path.string())));
  }
  const std::string name = path.string();
  auto members = parse_toml(text, name);
  if (!members) {
    return Failure(members.error());
  }
  const auto env = std::find_if(members->begin(), members->end(), [](const TomlNode& node) {
    return node.name == "env" && node.kind == TomlKind::Table;
  });
  TomlNode overlays;
  if (env != members->end()) {
    overlays = *env;
    members->erase(env);
  }
  if (const auto verdict = Reader(loaded, name, Origin::From::File).read(*members, ""); !verdict) {
    return verdict;
  }
  return read_overlays(overlays, name, loaded);
}

Result<void> read_variables(const Sources& sources, Loaded& loaded) {
  for (const Key& key : keys()) {
    const std::string variable = variable_of(key);
    const auto value = sources.environment(variable);
    if (!value) {
      continue;
    }
    if (const auto verdict = set_from_text(key, *value, loaded.config); !verdict) {
      return Failure(
          invalid(fmt::format("{}: {}", variable, verdict.error().message), std::string(key.name)));
    }
    loaded.origins[std::string(key.name)] = {Origin::From::Variable, variable};
  }
  for (const auto& [name, text] : sources.flags) {
    const Key* key = find_key(name);
    if (key == nullptr) {
      return Failure(invalid(fmt::format("unknown key '{}'", name), name));
    }
    if (const auto verdict = set_from_text(*key, text, loaded.config); !verdict) {
      return Failure(invalid(verdict.error().message, name));
    }
    loaded.origins[name] = {Origin::From::Flag, name};
  }
  return {};
}

bool came_from_default(const Loaded& loaded, std::string_view name) {
  const auto found = loaded.origins.find(name);
  return found == loaded.origins.end() || found->second.from == Origin::From::Default;
}

/// Defaults that follow another value.
void derive(Loaded& loaded) {
  Config& config = loaded.config;
  if (came_from_default(loaded, "pixel.base_url") && !config.server.public_url.empty()) {
    config.pixel.base_url = config.server.public_url;
  }
}

}  // namespace

fs::path Config::resolve(const std::string& path) const {
  const fs::path given(path);
  return given.is_absolute() || file.empty() ? given : file.parent_path() / given;
}

std::string Origin::text() const {
  switch (from) {
    case From::Default:
      return "default";
    case From::File:
      return "file " + where;
    case From::Overlay:
      return "overlay " + where;
    case From::Variable:
      return "variable " + where;
    case From::Flag:
      return "flag";
  }
  return "default";
}

fs::path find_file(const Sources& sources) {
  const std::string named =
      !sources.file.empty() ? sources.file : environment_of(sources, "EDGE_CONFIG");
  if (!named.empty()) {
    return named == "none" ? fs::path() : sources.working_directory / named;
  }
  std::error_code ignored;  // what cannot be looked at is not there
  for (fs::path folder = sources.working_directory;; folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / "edge.toml", ignored)) {
      return folder / "edge.toml";
    }
    if (fs::exists(folder / ".git", ignored) || folder == folder.parent_path()) {
      break;
    }
  }
  std::string home = environment_of(sources, "XDG_CONFIG_HOME");
  if (home.empty() && !environment_of(sources, "HOME").empty()) {
    home = environment_of(sources, "HOME") + "/.config";
  }
  for (const fs::path& place :
       {fs::path(home) / "edgectl/edge.toml", fs::path("/etc/edgectl/edge.toml")}) {
    if (place.is_absolute() && fs::is_regular_file(place, ignored)) {
      return place;
    }
  }
  return {};
}

fs::path find_data_dir(const Sources& sources) {
  std::string named =
      !sources.data_dir.empty() ? sources.data_dir : environment_of(sources, "EDGE_DATA_DIR");
  if (named.empty()) {
    const std::string home = environment_of(sources, "XDG_DATA_HOME");
    named = (home.empty() ? environment_of(sources, "HOME") + "/.local/share" : home) + "/edgectl";
  }
  return (sources.working_directory / named).lexically_normal();
}

/// Beside the data when its place was chosen, else where the user's caches are.
fs::path find_cache_dir(const Sources& sources, const fs::path& data_dir) {
  if (!sources.data_dir.empty() || !environment_of(sources, "EDGE_DATA_DIR").empty()) {
    return data_dir / "cache";
  }
  const std::string home = environment_of(sources, "XDG_CACHE_HOME");
  const std::string named =
      (home.empty() ? environment_of(sources, "HOME") + "/.cache" : home) + "/edgectl";
  return (sources.working_directory / named).lexically_normal();
}

Result<Loaded> load(const Sources& sources) {
  Loaded loaded;
  for (const Key& key : keys()) {
    loaded.origins[std::string(key.name)] = {};
  }
  loaded.config.overlay =
      !sources.overlay.empty() ? sources.overlay : environment_of(sources, "EDGE_ENV");
  loaded.config.file = find_file(sources);
  loaded.config.data_dir = find_data_dir(sources);
  loaded.config.cache_dir = find_cache_dir(sources, loaded.config.data_dir);
  if (!loaded.config.file.empty()) {
    if (const auto verdict = read_file(loaded.config.file, loaded); !verdict) {
      return Failure(verdict.error());
    }
  }
  const std::string& overlay = loaded.config.overlay;
  if (!overlay.empty() &&
      std::find(loaded.overlays.begin(), loaded.overlays.end(), overlay) == loaded.overlays.end()) {
    return Failure(invalid(fmt::format("no overlay [env.{}] in {}",
                                       overlay,
                                       loaded.config.file.empty() ? "the built-in defaults"
                                                                  : loaded.config.file.string()),
                           "env"));
  }
  if (const auto verdict = read_variables(sources, loaded); !verdict) {
    return Failure(verdict.error());
  }
  derive(loaded);
  return loaded;
}

}  // namespace edge::config
