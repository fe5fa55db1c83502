// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/transport/http_client.h"

namespace edge::cli {

/// A running daemon, asked over HTTP. One thread only.
///
/// Failures carry the daemon's own code and reason (identity spec 4.5), or Unavailable with reason
/// `connect_failed` when nothing answers; `exit_code_of(error, Side::Remote)` maps them.
class Remote {
 public:
  struct Options {
    std::string url = {};    ///< `http://127.0.0.1:9100`, no slash at the end
    std::string token = {};  ///< bearer token, or empty
    std::chrono::milliseconds timeout{10'000};
    int trace = 0;  ///< 2 and more: requests on stderr, secrets masked
  };

  Remote(Options options, std::unique_ptr<transport::HttpClient> client);

  [[nodiscard]] const std::string& url() const { return options_.url; }

  /// 2xx gives the answer, every other status a Failure. `target` starts with `/`.
  Result<transport::IncomingResponse> get(std::string_view target);
  Result<transport::IncomingResponse> post(std::string_view target, std::string body);
  /// Any method; `headers` are added to `Content-Type: application/json` (when there is a body) and
  /// the bearer token.
  Result<transport::IncomingResponse> send(std::string_view method,
                                           std::string_view target,
                                           std::string body = {},
                                           transport::Headers headers = {});
  /// As `send`, but every status is an answer.
  Result<transport::IncomingResponse> exchange(std::string_view method,
                                               std::string_view target,
                                               std::string body = {},
                                               transport::Headers headers = {});

 private:
  Options options_;
  std::unique_ptr<transport::HttpClient> client_;
};

/// What `edged` writes beside its local key when it is ready (cli spec 3).
struct RuntimeFile {
  int pid = 0;
  std::string url = {};
  std::string version = {};
  std::string started = {};
};

/// The running daemon of this user; a file of a process that has gone is removed.
std::optional<RuntimeFile> find_runtime_file();
/// The bearer key in `edged.key` beside the runtime file, when it can be read.
std::string local_key();

/// The error that an answer with a status other than 2xx stands for.
Error error_of(const transport::IncomingResponse& response);

}  // namespace edge::cli
