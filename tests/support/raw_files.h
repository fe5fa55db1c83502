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

}  // namespace edge::test
