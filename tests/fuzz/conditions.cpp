// SPDX-License-Identifier: MIT
// Any JSON is a tree of conditions with one of three results; whoever has no attributes and no
// segments gets the same result twice. Texts are tried as versions too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/encoding/utf8.h"
#include "core/flags/audience.h"
#include "core/json/document.h"
#include "core/json/semver.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (edge::encoding::is_utf8(text)) {
    const auto version = edge::json::parse_version(text);
    if (version && edge::json::compare_versions(*version, *version) != 0) {
      std::abort();
    }
  }
  const auto document = edge::json::Document::parse(text, edge::json::kDecision);
  if (!document) {
    return 0;
  }
  edge::flags::Conditions conditions;
  const auto root = conditions.add_audience(document->root());
  edge::flags::User user = edge::flags::User::named("user-1");
  const edge::flags::Subject subject(conditions, user);
  if (subject.evaluate(root) != subject.evaluate(root)) {
    std::abort();
  }
  return 0;
}
