// SPDX-License-Identifier: MIT
#pragma once

#include "core/base/result.h"
#include "core/flags/datafile.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::flags {

/// Decides one batch record `{userId, attributes, key | keys | neither, options, forcedDecisions,
/// qualifiedSegments, userProfile, forcedVariations}`; unknown members are ignored. Appends
/// `"decisions":{KEY:{…}}`, and `"savedProfile":{…}` when a profile would be stored, to the open
/// object `out`. Nothing done for a record outlives it.
///
/// False when a decision is an error. Failure: InvalidArgument with reason `invalid_input` when
/// user or keys are refused.
Result<bool> answer_record(const Datafile& datafile, json::Value record, json::Writer& out);

}  // namespace edge::flags
