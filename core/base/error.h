// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace edge {

/// What kind of expected failure happened; neutral of any protocol. The HTTP status of each is in
/// `daemon/http/status.cpp`, the exit code in `cli/exit_code.h`; nothing else maps them.
enum class ErrorCode : std::uint8_t {
  InvalidArgument,
  Unauthenticated,
  PermissionDenied,
  NotFound,
  Conflict,
  TooLarge,
  RateLimited,
  Unavailable,
  DeadlineExceeded,
  Internal,
};

/// An expected failure as a value.
///
/// `message` is lower case without a full stop, names the input that was wrong and never holds a
/// secret. `field` is the place in the input: a JSON pointer, a column, a configuration key; empty
/// when there is none. `reason` is a stable snake_case name that programs may match on; empty means
/// the default name of `code`. `retry_after` is set when trying again later makes sense
/// (Unavailable, RateLimited).
struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message = {};
  std::string field = {};
  std::string reason = {};
  std::chrono::seconds retry_after = std::chrono::seconds{0};

  bool operator==(const Error&) const = default;
};

/// The stable snake_case name of a code, as it stands in error bodies and in `edgectl help errors`.
constexpr const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return "invalid_argument";
    case ErrorCode::Unauthenticated:
      return "unauthenticated";
    case ErrorCode::PermissionDenied:
      return "permission_denied";
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::Conflict:
      return "conflict";
    case ErrorCode::TooLarge:
      return "too_large";
    case ErrorCode::RateLimited:
      return "rate_limited";
    case ErrorCode::Unavailable:
      return "unavailable";
    case ErrorCode::DeadlineExceeded:
      return "deadline_exceeded";
    case ErrorCode::Internal:
      return "internal";
  }
  return "internal";
}

/// `reason`, or the default name of the code.
inline std::string reason_of(const Error& error) {
  return error.reason.empty() ? std::string(name_of(error.code)) : error.reason;
}

}  // namespace edge
