// SPDX-License-Identifier: MIT
#pragma once

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::tokens {

/// Carries out one record of `edgectl token verify --batch` (identity spec 2.7): a token or a raw
/// signature, its key, and what is demanded. Names of algorithms that do not exist match nothing.
///
/// Appends to an open object `"valid":true,"code":"ok",…`, or `"valid":false,"code"`, also for keys
/// that are refused; true when valid. Failure: InvalidArgument, reason `bad_record`, for something
/// that is no such record.
Result<bool> answer_verify_record(json::Value record, Time now, json::Writer& out);

}  // namespace edge::tokens
