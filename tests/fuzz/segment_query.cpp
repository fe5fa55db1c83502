// SPDX-License-Identifier: MIT
// The GraphQL texts of Optimizely's SDKs, with variables or without: read or refused, never more.
#include "core/profiles/segment_query.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/encoding/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto variables =
      edge::json::Document::parse(R"({"userId":"u","audiences":["a","b"]})", edge::json::kEvent);
  const auto query = edge::profiles::read_segment_query(text, variables->root());
  if (query && query->id.empty()) {
    std::abort();
  }
  // What was read of well-formed text is well-formed.
  if (query && edge::encoding::is_utf8(text) && !edge::encoding::is_utf8(query->id)) {
    std::abort();
  }
  return 0;
}
