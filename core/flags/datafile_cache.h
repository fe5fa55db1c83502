// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace edge::flags {

/// A datafile as it was fetched, with what its server wants to hear at the next fetch.
struct FetchedDatafile {
  std::string text = {};
  std::string etag = {};           ///< empty when the server gave none
  std::string last_modified = {};  ///< likewise

  bool operator==(const FetchedDatafile&) const = default;
};

/// Datafiles that were fetched, one file a URL, so that a start without network has the last one.
/// A file holds one line of JSON and behind it the datafile; it is replaced as a whole. Immutable,
/// thread-safe.
class DatafileCache {
 public:
  /// `folder` is made when it is needed; empty = nothing is kept.
  explicit DatafileCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Nothing when it is not there or cannot be read.
  [[nodiscard]] std::optional<FetchedDatafile> find(std::string_view url) const;
  /// Failure: PermissionDenied or Unavailable; what was there stays.
  Result<void> put(std::string_view url, const FetchedDatafile& datafile) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(std::string_view url) const;
  std::filesystem::path folder_;
};

}  // namespace edge::flags
