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
    error.reason = status == 403 ? "datafile_forbidden" : "datafile_unauthorized";
  } else if (status == 404) {
    error.code = ErrorCode::NotFound;
    error.reason = "datafile_not_found";
  }
  return error;
}

}  // namespace

Result<std::optional<FetchedDatafile>> ask_for_datafile(transport::HttpClient& client,
                                                        const std::string& url,
                                                        const FetchedDatafile* kept,
                                                        std::chrono::milliseconds timeout) {
  transport::OutgoingRequest request{.url = url,
                                     .headers = {{"accept", "application/json"}},
                                     .connect_timeout = timeout / 2,
                                     .timeout = timeout,
                                     .max_response_bytes = kMaxDatafileBytes};
  if (kept != nullptr && !kept->etag.empty()) {
    request.headers.emplace_back("if-none-match", kept->etag);
  }
  if (kept != nullptr && !kept->last_modified.empty()) {
    request.headers.emplace_back("if-modified-since", kept->last_modified);
  }
  auto answer = client.send(request);
  if (!answer) {
    Error error = answer.error();
    error.message = fmt::format("datafile {}: {}", url, error.message);
    return Failure(std::move(error));
  }
  if (answer->status == 304 && kept != nullptr) {
    return std::optional<FetchedDatafile>();
  }
  if (answer->status != 200) {
    return Failure(refused(url, answer->status));
  }
  return FetchedDatafile{
      .text = std::move(answer->body),
      .etag = std::string(answer->header("etag").value_or("")),
      .last_modified = std::string(answer->header("last-modified").value_or(""))};
}

Result<Fetched> fetch_datafile(transport::HttpClient& client,
                               const DatafileCache& cache,
                               const std::string& url,
                               std::chrono::milliseconds timeout) {
  auto kept = cache.find(url);
  auto fresh = ask_for_datafile(client, url, kept ? &*kept : nullptr, timeout);
  if (!fresh) {
    return Failure(fresh.error());
  }
  if (!*fresh) {
    return Fetched{.text = std::move(kept->text), .is_modified = false};
  }
  const bool is_modified = !kept || kept->text != (*fresh)->text;
  // Best effort: when it is not kept, the next call is sent the whole file again.
  static_cast<void>(cache.put(url, **fresh));
  return Fetched{.text = std::move((*fresh)->text), .is_modified = is_modified};
}

}  // namespace edge::flags
