// SPDX-License-Identifier: MIT
#include "core/flags/fetch.h"

#include <fmt/format.h>

namespace edge::flags {
namespace {

Error refused(const std::string& url, int status) {
  Error error{.code = ErrorCode::Unavailable,
              .message = fmt::format("{} answered {} instead of a datafile", url, status),
              .reason = "bad_status"};
  if (status == 401 || status == 403) {
    error.code = ErrorCode::PermissionDenied;
    error.reason = "datafile_forbidden";
  } else if (status == 404) {
    error.code = ErrorCode::NotFound;
    error.reason = "datafile_not_found";
  }
  return error;
}

}  // namespace

Result<Fetched> fetch_datafile(transport::HttpClient& client,
                               const DatafileCache& cache,
                               const std::string& url,
                               std::chrono::milliseconds timeout) {
  transport::OutgoingRequest request{.url = url,
                                     .headers = {{"accept", "application/json"}},
                                     .timeout = timeout,
                                     .max_response_bytes = kMaxDatafileBytes};
  auto kept = cache.find(url);
  if (kept && !kept->etag.empty()) {
    request.headers.emplace_back("if-none-match", kept->etag);
  }
  if (kept && !kept->last_modified.empty()) {
    request.headers.emplace_back("if-modified-since", kept->last_modified);
  }
  auto answer = client.send(request);
  if (!answer) {
    return Failure(answer.error());
  }
  if (answer->status == 304 && kept) {
    return Fetched{.text = std::move(kept->text), .is_modified = false};
  }
  if (answer->status != 200) {
    return Failure(refused(url, answer->status));
  }
  FetchedDatafile fresh{.text = std::move(answer->body),
                        .etag = std::string(answer->header("etag").value_or("")),
                        .last_modified = std::string(answer->header("last-modified").value_or(""))};
  const bool is_modified = !kept || kept->text != fresh.text;
  // Best effort: when it is not kept, the next call is sent the whole file again.
  static_cast<void>(cache.put(url, fresh));
  return Fetched{.text = std::move(fresh.text), .is_modified = is_modified};
}

}  // namespace edge::flags
