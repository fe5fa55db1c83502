// SPDX-License-Identifier: MIT
#include "core/config/suggest.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace edge::config {
namespace {

/// Damerau–Levenshtein distance in its restricted form (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    table[i][0] = i;
  }
  for (std::size_t j = 0; j <= b.size(); ++j) {
    table[0][j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

}  // namespace

std::vector<std::string> closest(std::string_view word,
                                 const std::vector<std::string>& candidates) {
  constexpr std::size_t kFarthest = 2;
  constexpr std::size_t kLongest = 64;
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& candidate : candidates) {
    if (word.size() > kLongest || candidate.size() > word.size() + kFarthest) {
      continue;
    }
    const std::size_t edits = distance(word, candidate);
    if (edits <= kFarthest && edits < candidate.size()) {
      near.emplace_back(edits, candidate);
    }
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> found;
  for (std::size_t i = 0; i < near.size() && i < 3; ++i) {
    found.push_back(near[i].second);
  }
  return found;
}

}  // namespace edge::config
