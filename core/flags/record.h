// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/flags/datafile.h"

namespace edge::flags {

/// The answer to one line of batch input.
struct RecordAnswer {
  std::string json = {};     ///< one line, without its end
  bool is_negative = false;  ///< the record was refused, or a decision of it is an error
};

/// Decides one record `{id, userId, attributes, key | keys | neither, options, forcedDecisions,
/// qualifiedSegments, userProfile, forcedVariations}`; unknown members are ignored. The answer is
/// `{"id",…,"decisions":{KEY:{…}}}` with `savedProfile` when a profile would be stored, or
/// `{"id",…,"error":"invalid_input","message"}`, or for a line that is no JSON object
/// `{"id":null,"line":number,"error":"parse_error","message"}`. Nothing done for a record outlives
/// it.
RecordAnswer answer_record(const Datafile& datafile, std::string_view line, std::size_t number);

}  // namespace edge::flags
