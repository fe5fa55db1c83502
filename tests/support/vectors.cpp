// SPDX-License-Identifier: MIT
#include "tests/support/vectors.h"

#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace edge::test {
namespace {

namespace fs = std::filesystem;

/// Reads a plain or gzipped file; zlib passes plain text through.
std::string read_file(const fs::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    throw std::runtime_error("cannot open " + path.string());
  }
  std::string content;
  std::string buffer(1U << 16U, '\0');
  int got = 0;
  while ((got = gzread(file, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
    content.append(buffer, 0, static_cast<std::size_t>(got));
  }
  gzclose(file);
  if (got < 0) {
    throw std::runtime_error("cannot read " + path.string());
  }
  return content;
}

std::optional<fs::path> locate(std::string_view area, std::string_view file) {
  const char* chosen = std::getenv("EDGE_VECTORS");
  const fs::path root = chosen != nullptr && *chosen != '\0' ? chosen : EDGE_VECTORS_DEFAULT;
  for (const fs::path& folder : {root / area, root.filename() == area ? root : fs::path{}}) {
    for (const char* suffix : {"", ".gz"}) {
      const fs::path path = folder / (std::string(file) + suffix);
      if (!folder.empty() && fs::is_regular_file(path)) {
        return path;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> vector_text(std::string_view area, std::string_view file) {
  const auto path = locate(area, file);
  if (!path) {
    std::printf("vectors %.*s/%.*s: skipped, not in this set\n",
                static_cast<int>(area.size()),
                area.data(),
                static_cast<int>(file.size()),
                file.data());
    return std::nullopt;
  }
  return read_file(*path);
}

std::optional<std::vector<std::string>> vector_lines(std::string_view area, std::string_view file) {
  const auto text = vector_text(area, file);
  if (!text) {
    return std::nullopt;
  }
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text->size();) {
    std::size_t end = text->find('\n', begin);
    end = end == std::string::npos ? text->size() : end;
    if (end > begin) {
      lines.push_back(text->substr(begin, end - begin));
    }
    begin = end + 1;
  }
  return lines;
}

void report_vectors(std::string_view area, std::string_view file, std::size_t cases) {
  std::printf("vectors %.*s/%.*s: %zu cases passed\n",
              static_cast<int>(area.size()),
              area.data(),
              static_cast<int>(file.size()),
              file.data(),
              cases);
  std::fflush(stdout);
}

}  // namespace edge::test
