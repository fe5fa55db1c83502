// SPDX-License-Identifier: MIT
// Any text is a datafile or refused; with one, any flag can be decided, with and without reasons.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/flags/decide.h"
#include "core/flags/older_calls.h"
#include "core/json/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto datafile = edge::flags::load_datafile(text);
  if (!datafile) {
    return 0;
  }
  edge::flags::User user = edge::flags::User::named("user-1");
  user.attributes = {{"plan", {.kind = edge::flags::Scalar::Kind::Text, .text = "pro"}}};
  for (const bool explains : {false, true}) {
    edge::flags::Options options;
    options.include_reasons = explains;
    edge::flags::Decider decider(**datafile, user, {.options = options});
    for (const auto& decision : decider.decide_all()) {
      if (!edge::json::Document::parse(decision.variables, edge::json::kDecision)) {
        std::abort();
      }
    }
  }
  edge::flags::segments_of(**datafile, user);
  return 0;
}
