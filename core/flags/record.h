// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/flags/datafile.h"
#include "core/flags/decision.h"
#include "core/flags/user.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::flags {

/// Told what is to be reported of a record's decisions (`Circumstances::exposures`).
using Witness = std::function<void(const User& user, const std::vector<Exposure>& exposures)>;

/// Decides one batch record `{userId, attributes, key | keys | neither, options, forcedDecisions,
/// qualifiedSegments, userProfile, forcedVariations}`; unknown members are ignored. Appends
/// `"decisions":{KEY:{…}}`, and `"savedProfile":{…}` when a profile would be stored, to the open
/// object `out`. Nothing done for a record outlives it.
///
/// False when a decision is an error. Failure: InvalidArgument with reason `invalid_input` when
/// user or keys are refused.
Result<bool> answer_record(const Datafile& datafile,
                           json::Value record,
                           json::Writer& out,
                           const Witness& witness = {});

/// Where a datafile came from.
struct DatafileOrigin {
  std::string kind = {};    ///< `file`, `stdin`, `url`, `cache`, `daemon`
  std::string from = {};    ///< path or URL
  std::string sha256 = {};  ///< of its text, hexadecimal
};

/// Decides one record, which may also hold `explain: true`, and gives the document
/// `{"schema":"edge.decide/1","userId","attributes","source":{"kind","revision","sha256","from"},
/// "decisions":[…]}` with a decision as in `write`, to which `explain` adds `"explanation"`
/// (walk.h); behind it `"savedProfile"` when a profile would be stored.
///
/// Failure: as `answer_record`.
Result<std::string> decide_document(const Datafile& datafile,
                                    const DatafileOrigin& origin,
                                    json::Value record,
                                    const Witness& witness = {});

}  // namespace edge::flags
