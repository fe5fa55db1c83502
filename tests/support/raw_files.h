// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace edge::test {

/// Names of the files below a directory whose raw octets contain a text.
inline std::vector<std::string> files_with(const std::string& directory, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (!file.is_regular_file()) {
      continue;
    }
    std::ifstream in(file.path(), std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(in), {}};
    if (octets.find(text) != std::string::npos) {
      found.push_back(file.path().filename().string());
    }
  }
  return found;
}

/// Overwrites with zeros the page of a store's file that holds a text; false when none does.
inline bool damage_page_with(const std::string& path, const std::string& text) {
  constexpr std::size_t kPage = 16'384;
  std::ifstream in(path, std::ios::binary);
  std::string octets{std::istreambuf_iterator<char>(in), {}};
  const std::size_t at = octets.find(text);
  if (at == std::string::npos) {
    return false;
  }
  const std::size_t first = at / kPage * kPage;
  octets.replace(first, kPage, std::string(kPage, '\0'));
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::ofstream(path, std::ios::binary) << octets;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  return true;
}

}  // namespace edge::test
