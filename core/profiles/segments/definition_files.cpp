// SPDX-License-Identifier: MIT
#include "core/profiles/segments/definition_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

namespace edge::profiles {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 20U;

Error in_place(const std::string& place, Error error) {
  error.message = fmt::format("{}: {}", place, error.message);
  return error;
}

Result<std::string> text_of(const fs::path& file) {
  std::error_code failure;
  const auto size = fs::file_size(file, failure);
  if (failure) {
    return Failure(
        {ErrorCode::InvalidArgument, fmt::format("{}: {}", file.string(), failure.message())});
  }
  if (size > kMaxFileBytes) {
    return Failure(
        {ErrorCode::InvalidArgument, fmt::format("{}: is larger than 1 MiB", file.string())});
  }
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in && !in.eof()) {
    return Failure({ErrorCode::InvalidArgument, fmt::format("{}: cannot be read", file.string())});
  }
  return text;
}

}  // namespace

Result<std::vector<Definition>> read_definition_file(const fs::path& file) {
  const auto text = text_of(file);
  if (!text) {
    return Failure(text.error());
  }
  const auto document = json::Document::parse(*text, json::kApi);
  if (!document) {
    return Failure(in_place(file.string(), document.error()));
  }
  std::vector<Definition> definitions;
  const json::Value root = document->root();
  if (!root.is_array()) {
    const std::string stem = root.find("name") ? std::string() : file.stem().string();
    auto definition = read_definition(root, stem);
    if (!definition) {
      return Failure(in_place(file.string(), definition.error()));
    }
    definitions.push_back(std::move(*definition));
    return definitions;
  }
  std::size_t index = 0;
  for (const json::Value one : root.elements()) {
    auto definition = read_definition(one);
    if (!definition) {
      return Failure(
          in_place(fmt::format("{}: segment {}", file.string(), index), definition.error()));
    }
    definitions.push_back(std::move(*definition));
    ++index;
  }
  return definitions;
}

Result<std::vector<Definition>> configured_definitions(const config::Config& config) {
  std::vector<Definition> all;
  std::set<std::string> names;
  const auto add = [&](Definition definition, const std::string& place) -> Result<void> {
    if (!names.insert(definition.name).second) {
      return Failure(
          {ErrorCode::InvalidArgument,
           fmt::format("{}: a segment \"{}\" is defined already", place, definition.name),
           "segments"});
    }
    all.push_back(std::move(definition));
    return {};
  };
  for (const config::Item& item : config.segments) {
    const auto document = json::Document::parse(item.json, json::kApi);
    auto definition = document ? read_definition(document->root()) : Failure(document.error());
    auto added = definition ? add(std::move(*definition), item.where)
                            : Failure(in_place(item.where, definition.error()));
    if (!added) {
      return Failure(added.error());
    }
  }
  if (config.file.empty()) {
    return all;
  }
  std::vector<fs::path> files;
  std::error_code none;  // no such folder: no files
  for (const auto& entry : fs::directory_iterator(config.resolve("segments"), none)) {
    if (entry.path().extension() == ".json") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    auto definitions = read_definition_file(file);
    if (!definitions) {
      return Failure(definitions.error());
    }
    for (Definition& definition : *definitions) {
      if (auto added = add(std::move(definition), file.string()); !added) {
        return Failure(added.error());
      }
    }
  }
  return all;
}

}  // namespace edge::profiles
