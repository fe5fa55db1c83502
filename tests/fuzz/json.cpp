// SPDX-License-Identifier: MIT
// JSON texts: every profile refuses or reads, and what was read says the same when it is written
// and read again.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace json = edge::json;

namespace {

/// Touches every value in every way.
std::size_t walk(json::Value value) {
  std::size_t seen = 1 + value.raw().size();
  seen += value.as_string().value_or("").size();
  seen += value.as_int64().has_value() ? 1 : 0;
  seen += value.as_double().has_value() ? 1 : 0;
  for (const auto& [name, member] : value.members()) {
    seen += name.size() + walk(member);
    if (!value.find(name)) {
      std::abort();  // a member that is listed is found
    }
  }
  for (const json::Value element : value.elements()) {
    seen += walk(element);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const json::Profile& profile :
       std::array{json::kStrict, json::kApi, json::kEvent, json::kDecision}) {
    const auto document = json::Document::parse(text, profile);
    if (!document) {
      continue;
    }
    (void)walk(document->root());
    (void)document->root().at_pointer(text.substr(0, 64));
    const std::string again = json::pretty(document->root());
    json::Profile lenient = profile;
    lenient.skip_bom = false;
    const auto read = json::Document::parse(again, lenient);
    if (!read || !json::equal(document->root(), read->root())) {
      std::abort();
    }
  }
  return 0;
}
