// SPDX-License-Identifier: MIT
// Golden data of other implementations. The directory is EDGE_VECTORS when that is set (a folder
// with the four areas, or one of them), else tests/vectors. A file may be stored gzipped
// (`NAME.gz`). Files that are not there are skipped with a notice, because another set need not
// hold them all.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edge::test {

/// The content of `area/file`, for example `vector_text("decisions", "starter.json")`. Nothing, and
/// a printed notice, when it is not in the set.
std::optional<std::string> vector_text(std::string_view area, std::string_view file);

/// Its lines (split on LF only), without empty ones.
std::optional<std::vector<std::string>> vector_lines(std::string_view area, std::string_view file);

/// Prints `vectors AREA/FILE: N cases passed`; `./check` collects these lines. Call it after the
/// last check.
void report_vectors(std::string_view area, std::string_view file, std::size_t cases);

}  // namespace edge::test
