// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "core/flags/datafile.h"
#include "core/json/document.h"

namespace edge::flags {

/// The configuration object of a datafile (`OptimizelyConfig` of Optimizely's JavaScript SDK 6.6.1,
/// `/v1/config` of its Agent) as compact JSON: `{environmentKey, sdkKey, revision, experimentsMap,
/// featuresMap, attributes, audiences, events}`. Unknown audiences appear by id, values of unknown
/// variables not at all.
std::string configuration_object(const Datafile& datafile);

/// Audience conditions of a rule as a reader's text: names in double quotes joined by AND, OR and
/// NOT, nested lists in parentheses; empty without conditions.
std::string readable_conditions(const Datafile& datafile, std::optional<json::Value> conditions);

}  // namespace edge::flags
