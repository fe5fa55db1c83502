// SPDX-License-Identifier: MIT
// From the scheme of a URL to an engine: the one place, besides the composition root, that knows
// engines by name.
#include "core/storage/open.h"

#include <fmt/format.h>

#include "core/storage/sqlite/engine.h"
#include "core/storage/sqlite/read_only.h"

namespace edge::storage {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

}  // namespace

Result<std::unique_ptr<Store>> open(const std::string& url,
                                    const Options& options,
                                    const Clock& clock,
                                    Random& random) {
  const bool has_scheme = url.find("://") != std::string::npos;
  const std::string directory = url.starts_with(kSqlite) ? url.substr(kSqlite.size()) : url;
  if (directory.empty() || (has_scheme && !url.starts_with(kSqlite))) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("'{}' names no store; use sqlite:DIRECTORY", url),
                    "",
                    "bad_request"});
  }
  return sqlite::guarded([&]() -> std::unique_ptr<Store> {
    if (options.read_only) {
      return std::make_unique<sqlite::ReadOnly>(directory, clock);
    }
    return std::make_unique<sqlite::Engine>(directory, options, clock, random);
  });
}

}  // namespace edge::storage
