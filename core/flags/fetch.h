// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include "core/base/result.h"
#include "core/flags/datafile_cache.h"
#include "core/transport/http_client.h"

namespace edge::flags {

/// A datafile larger than this is refused.
inline constexpr std::size_t kMaxDatafileBytes = std::size_t{64} << 20U;

struct Fetched {
  std::string text = {};
  bool is_modified = true;  ///< false: the server said that the kept one is the present one
};

/// Asks for the datafile at a URL. One that the cache holds is asked for with its ETag, so that an
/// unchanged one is not sent again; a new one is kept. A cache that cannot be written is no
/// failure.
///
/// Failures: those of the client; PermissionDenied (reason `datafile_forbidden`) for 401 and 403,
/// NotFound for 404, Unavailable (reason `bad_status`) for every other status than 200 and 304.
Result<Fetched> fetch_datafile(transport::HttpClient& client,
                               const DatafileCache& cache,
                               const std::string& url,
                               std::chrono::milliseconds timeout);

}  // namespace edge::flags
