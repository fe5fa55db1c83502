// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/flags/datafile_cache.h"
#include "core/transport/http_client.h"

namespace edge::flags {

/// A datafile larger than this is refused.
inline constexpr std::size_t kMaxDatafileBytes = std::size_t{64} << 20U;

/// Asks a server for the datafile at a URL; with `kept` for one that is newer than that. Nothing:
/// `kept` is the present one. Waits at most `timeout`, half of it for a connection.
///
/// Failures, each naming the URL: those of the client; PermissionDenied for 401 and (reason
/// `datafile_forbidden`) 403, NotFound (reason `datafile_not_found`) for 404, Unavailable (reason
/// `bad_status`) for every other status than 200 and 304.
Result<std::optional<FetchedDatafile>> ask_for_datafile(transport::HttpClient& client,
                                                        const std::string& url,
                                                        const FetchedDatafile* kept,
                                                        std::chrono::milliseconds timeout);

struct Fetched {
  std::string text = {};
  bool is_modified = true;  ///< false: the server said that the kept one is the present one
};

/// Asks for the datafile at a URL. One that the cache holds is not sent again when it is unchanged;
/// a new one is kept. A cache that cannot be written is no failure. Failures: as above.
Result<Fetched> fetch_datafile(transport::HttpClient& client,
                               const DatafileCache& cache,
                               const std::string& url,
                               std::chrono::milliseconds timeout);

}  // namespace edge::flags
