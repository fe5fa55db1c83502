// SPDX-License-Identifier: MIT
// Expectations in files: what flags must be for named users. One JSON object a line:
//
//     {"name":"pro users pay on one page","userId":"u-1","attributes":{"plan":"pro"},
//      "expect":{"new_checkout":{"variationKey":"treatment","variables":{"steps":1}},
//                "old_banner":false,"beta":"on"}}
//
// `expect` names flags: an object holds the members that matter (`enabled`, `variationKey`,
// `ruleKey`, `variables` with the variables that matter), a boolean is `enabled`, a text or null is
// `variationKey`. Everything else is a batch record (record.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flags/datafile.h"
#include "core/json/document.h"

namespace edge::flags {

/// Something that is not as expected.
struct Mismatch {
  std::string flag_key = {};
  std::string member = {};    ///< `enabled`, `variables.steps`, …; empty for an unknown flag
  std::string expected = {};  ///< as JSON
  std::string got = {};
};

/// Name of an expectation; its user when it has none.
std::string name_of(json::Value expectation);

/// What is wrong with the decisions; empty when all is as expected.
///
/// Failure: InvalidArgument when this is no expectation: no user, no `expect`, a member of it that
/// is not known.
Result<std::vector<Mismatch>> check_expectation(const Datafile& datafile, json::Value expectation);

/// Whether a name fits a pattern in which `*` stands for any text and `?` for one octet; without
/// either, whether it holds the pattern.
bool fits(std::string_view pattern, std::string_view name);

}  // namespace edge::flags
