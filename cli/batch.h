// SPDX-License-Identifier: MIT
// Batch mode (cli spec 7.1): JSON lines in, exactly one JSON line out for each line that is not
// blank, in order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/call.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli {

/// Answers one record: appends the members behind `id` to an open object. False: the answer is a
/// no. An error is answered
/// `{"id",…,"error":CODE,"message":TEXT}` instead, without what was appended.
using BatchAnswer = std::function<Result<bool>(json::Value record, json::Writer& out)>;

inline constexpr std::int64_t kMaxWorkers = 64;

/// What a batch reads, and how.
struct Batch {
  std::string path = {};  ///< `-` is stdin
  json::Profile profile = {};
  bool fail_invalid = false;
  std::size_t workers = 1;  ///< threads that call `answer`; above 1 it must be thread-safe
};

/// Runs `answer` over the lines of a batch; answers keep the order. `id` comes back as
/// it was; a line that is no JSON object is answered
/// `{"id":null,"line":N,"error":"parse_error","message":TEXT}`. One bad line never ends the run.
/// Exit 0 when every line was answered; with `fail_invalid` 1 when one was an error or a no.
/// Failure: the input cannot be read (exit 3).
Result<int> run_batch(Call& call, const Batch& batch, const BatchAnswer& answer);

/// The same with one worker.
inline Result<int> run_batch(Call& call,
                             const std::string& path,
                             const json::Profile& profile,
                             bool fail_invalid,
                             const BatchAnswer& answer) {
  return run_batch(call, {.path = path, .profile = profile, .fail_invalid = fail_invalid}, answer);
}

}  // namespace edge::cli
