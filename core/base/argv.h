// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace edge {

/// Arguments or variables as execve(2) takes them, with a null pointer at the end; valid while
/// `texts` is. To be made before fork(2): in the child of a program with threads nothing may be
/// allocated.
inline std::vector<char*> argv_of(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) {
    all.push_back(text.data());
  }
  all.push_back(nullptr);
  return all;
}

}  // namespace edge
