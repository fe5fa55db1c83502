// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "core/base/error.h"

namespace edge::cli {

/// The exit codes of both programs (cli spec 8).
namespace exit_code {
inline constexpr int kDone = 0;
inline constexpr int kNo = 1;  ///< done, the answer is no
inline constexpr int kUsage = 2;
inline constexpr int kBadInput = 3;
inline constexpr int kNotAllowed = 4;
inline constexpr int kNotFound = 5;
inline constexpr int kUnreachable = 6;
inline constexpr int kRefused = 7;  ///< by the other side
inline constexpr int kPartly = 8;
inline constexpr int kLocalResource = 9;
inline constexpr int kBug = 70;
inline constexpr int kInterrupted = 130;
inline constexpr int kBrokenPipe = 141;
inline constexpr int kTerminated = 143;
}  // namespace exit_code

/// Who said no: this machine (a locked store, a full disk) or a server that was asked.
enum class Side : std::uint8_t { Local, Remote };

/// Reason of errors that are the caller's misuse of flags; exits with 2.
inline constexpr const char* kUsageReason = "usage";

/// True when a request never got an answer.
inline bool is_unreachable(const Error& error) {
  return error.reason == "connect_failed" || error.reason == "tls_failed" ||
         error.reason == "dns_failed" || error.reason == "connection_lost" ||
         error.reason == "timeout";
}

/// The exit code of an error; the only place that maps them.
inline int exit_code_of(const Error& error, Side side = Side::Local) {
  if (error.reason == kUsageReason) {
    return exit_code::kUsage;
  }
  if (is_unreachable(error)) {
    return exit_code::kUnreachable;
  }
  switch (error.code) {
    case ErrorCode::InvalidArgument:
      return exit_code::kBadInput;
    case ErrorCode::Unauthenticated:
    case ErrorCode::PermissionDenied:
      return exit_code::kNotAllowed;
    case ErrorCode::NotFound:
      return exit_code::kNotFound;
    case ErrorCode::DeadlineExceeded:
      return exit_code::kUnreachable;
    case ErrorCode::Conflict:
    case ErrorCode::TooLarge:
    case ErrorCode::RateLimited:
      return exit_code::kRefused;
    case ErrorCode::Unavailable:
      return side == Side::Remote ? exit_code::kRefused : exit_code::kLocalResource;
    case ErrorCode::Internal:
      return side == Side::Remote ? exit_code::kRefused : exit_code::kBug;
  }
  return exit_code::kBug;
}

}  // namespace edge::cli
