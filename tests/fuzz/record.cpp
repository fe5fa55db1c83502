// SPDX-License-Identifier: MIT
// Any JSON object is a record of a batch and is answered or refused; so is any expectation.
#include "core/flags/record.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/flags/suite.h"
#include "core/json/document.h"

namespace {

constexpr std::string_view kDatafile = R"({"version":"4","revision":"1",
"typedAudiences":[{"id":"a","name":"a","conditions":["or",
  {"type":"custom_attribute","name":"n","match":"semver_ge","value":"1.2"},
  {"type":"third_party_dimension","match":"qualified","value":"s"}]}],
"experiments":[{"id":"x","key":"exp","status":"Running","audienceIds":["a"],
  "variations":[{"id":"1","key":"a"},{"id":"2","key":"b","featureEnabled":true}],
  "trafficAllocation":[{"entityId":"1","endOfRange":5000},{"entityId":"2","endOfRange":10000}]}],
"featureFlags":[{"id":"f","key":"f","rolloutId":"","experimentIds":["x"],
  "variables":[{"id":"v","key":"k","type":"json","defaultValue":"{}"}]}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto datafile = edge::flags::load_datafile(kDatafile).value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto record = edge::json::Document::parse(text, edge::json::kDecision);
  if (!record || !record->root().is_object()) {
    return 0;
  }
  edge::json::Writer out;
  out.begin_object();
  const auto answered = edge::flags::answer_record(*datafile, record->root(), out);
  const auto document = edge::flags::decide_document(*datafile, {}, record->root());
  if (answered.has_value() != document.has_value()) {
    std::abort();
  }
  if (document && !edge::json::Document::parse(*document, edge::json::kDecision)) {
    std::abort();
  }
  static_cast<void>(edge::flags::check_expectation(*datafile, record->root()));
  return 0;
}
