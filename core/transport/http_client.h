// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace edge::transport {

/// Header fields in order; names are compared without regard to case.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// One request to another machine. `url` is absolute, http or https.
struct OutgoingRequest {
  std::string method = "GET";
  std::string url = {};
  Headers headers = {};
  std::string body = {};
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{15000};  ///< the whole request, connecting included
  std::size_t max_response_bytes = std::size_t{1} << 20U;
  bool cut_response = false;  ///< a longer body is cut off at that size instead of refused
};

/// What came back. Redirects are never followed.
struct IncomingResponse {
  int status = 0;
  Headers headers = {};
  std::string body = {};

  /// The first value of a field, if there is one.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// Sends requests. Thread-safe; calls block for at most `timeout`.
///
/// Failures: DeadlineExceeded (reason `timeout`), Unavailable (reasons `connect_failed`,
/// `tls_failed`, `dns_failed`: nothing was sent; `connection_lost`, `bad_response`: the outcome is
/// unknown), PermissionDenied (reason `egress_denied`: the outbound guard refused the address),
/// InvalidArgument (the URL, method or a header field), TooLarge (the answer).
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  HttpClient(HttpClient&&) = delete;
  HttpClient& operator=(HttpClient&&) = delete;
  virtual ~HttpClient() = default;

  virtual Result<IncomingResponse> send(const OutgoingRequest& request) = 0;
  /// The program ends: running requests fail with `timeout` within a quarter of a second, later
  /// ones at once.
  virtual void cut_off() {}
};

}  // namespace edge::transport
