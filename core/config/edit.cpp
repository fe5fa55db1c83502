// SPDX-License-Identifier: MIT
// Writing `edge.toml`: a new one with every key, and one key of an existing one without touching
// anything else.
#include <fmt/format.h>

#include <algorithm>

#include "core/config/keys.h"
#include "core/config/load.h"
#include "core/config/toml_file.h"

namespace edge::config {
namespace {

constexpr std::string_view kHead =
    "# Settings of edgectl and edged. Every key is here with its default; see edge.toml(5).\n"
    "# A variable EDGE_SECTION_KEY overrides a key, [env.NAME] tables overlay this file (--env "
    "NAME).\n";

constexpr std::string_view kTail = R"(
# Where events are forwarded to (repeat the table for more).
# [[destinations]]
# name = "segment"
# type = "segment"
# secret = "SEGMENT_WRITE_KEY"   # name of a secret (edgectl secret set), never the value
# enabled = true

# Other issuers whose tokens count; jwks is a file (repeat the table for more).
# [[auth.issuers]]
# name = "https://id.example.com"       # iss of its tokens
# jwks = "id.jwks.json"
# algorithms = ["ES256"]
# claim = "groups"                      # holds texts that the next line turns into roles
# roles = { staff = "editor" }

# Who may send events, with which write key. Without any, every key counts on loopback.
# [[sources]]
# name = "website"
# key = "wk_website"

# Further SDK keys, each with a datafile of its own.
# [[flags.projects]]
# sdk_key = "staging"
# datafile = "flags-staging.json"

# How many requests a client may make; this is what holds without any such table.
# [[limits]]
# name = "api"
# limit = 100
# period = 60                    # seconds
# key = "ip"                     # or user, path, header:NAME, another text, or a list of these
# routes = ["/api/*"]

# Which pages of other origins may read answers. Without any, none but those of public routes.
# [[cors]]
# routes = ["/api/*"]
# origins = ["https://app.example.com"]

# Another place to listen at, here for metrics alone.
# [[server.listeners]]
# address = "127.0.0.1:9101"     # or unix:/run/edgectl/edged.sock
# surfaces = ["metrics", "health"]

# An overlay: edgectl --env staging …, edged --env staging
# [env.staging.server]
# listen = ["127.0.0.1:9200"]
)";

struct Split {
  std::string_view section;
  std::string_view key;
};

Split split(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return {name.substr(0, dot), name.substr(dot + 1)};
}

const TomlNode* find_node(const std::vector<TomlNode>& members, std::string_view path) {
  const std::size_t dot = path.find('.');
  for (const TomlNode& node : members) {
    if (node.name == path.substr(0, dot)) {
      return dot == std::string_view::npos ? &node : find_node(node.members, path.substr(dot + 1));
    }
  }
  return nullptr;
}

/// Where a new key of a section goes: behind its header line; npos when the file has no such
/// header.
std::size_t behind_header(std::string_view text, std::string_view section) {
  const std::string header = fmt::format("[{}]", section);
  std::size_t line = 0;
  while (line < text.size()) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    std::string_view content = text.substr(line, end - line);
    content.remove_prefix(std::min(content.find_first_not_of(" \t"), content.size()));
    if (content.starts_with(header)) {
      return std::min(end + 1, text.size());
    }
    line = end + 1;
  }
  return std::string_view::npos;
}

}  // namespace

std::string sample_file() {
  const Config defaults;
  std::string text(kHead);
  std::string_view section;
  for (const Key& key : keys()) {
    const Split parts = split(key.name);
    if (parts.section != section) {
      section = parts.section;
      text += fmt::format("\n[{}]\n", section);
    }
    const std::string value = value_text(key, defaults);
    text += fmt::format("# {}\n", key.help);
    text += value.empty() ? fmt::format("# {} = \n", parts.key)
                          : fmt::format("{} = {}\n", parts.key, value);
  }
  return text + std::string(kTail);
}

Result<std::string> with_key(std::string_view text,
                             const std::string& name,
                             std::string_view value) {
  const Key* key = find_key(name);
  if (key == nullptr) {
    return Failure({ErrorCode::InvalidArgument, fmt::format("unknown key '{}'", name), name});
  }
  Config scratch;
  if (const auto verdict = set_from_text(*key, value, scratch); !verdict) {
    return Failure(verdict.error());
  }
  const auto members = parse_toml(text, "edge.toml");
  if (!members) {
    return Failure(members.error());
  }
  const std::string literal = value_text(*key, scratch);
  std::string changed(text);
  if (const TomlNode* node = find_node(*members, name)) {
    return changed.replace(node->value_begin, node->value_end - node->value_begin, literal);
  }
  const Split parts = split(name);
  const std::string line = fmt::format("{} = {}\n", parts.key, literal);
  const std::size_t place = behind_header(text, parts.section);
  if (!changed.empty() && !changed.ends_with('\n')) {
    changed += '\n';  // a header may stand on the last line
  }
  if (place == std::string_view::npos) {
    changed += fmt::format("\n[{}]\n{}", parts.section, line);
  } else {
    changed.insert(place == text.size() ? changed.size() : place, line);
  }
  // `auth = {}` and the like leave no place for a key of theirs.
  if (!parse_toml(changed, "edge.toml")) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("the file has no [{}] table that '{}' can be added to: write it by hand",
                     parts.section,
                     parts.key),
         name});
  }
  return changed;
}

}  // namespace edge::config
