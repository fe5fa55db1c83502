// SPDX-License-Identifier: MIT
// Batch mode (cli spec 7.1): JSON lines in, exactly one JSON line out for each line that is not
// blank, in order.
#pragma once

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

/// Runs `answer` over the lines of `path` (`-` is stdin), read with `profile`. `id` comes back as
/// it was; a line that is no JSON object is answered
/// `{"id":null,"line":N,"error":"parse_error","message":TEXT}`. One bad line never ends the run.
/// Exit 0 when every line was answered; with `fail_invalid` 1 when one was an error or a no.
/// Failure: the input cannot be read (exit 3).
Result<int> run_batch(Call& call,
                      const std::string& path,
                      const json::Profile& profile,
                      bool fail_invalid,
                      const BatchAnswer& answer);

}  // namespace edge::cli
