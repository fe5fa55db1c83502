// SPDX-License-Identifier: MIT
// A form body from outside, in each encoding: whatever is read becomes an event that is JSON.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/events/form_body.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 3> kTypes = {
      "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json"};
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type : kTypes) {
    const auto fields = edge::events::read_form(type, body);
    if (!fields) {
      continue;
    }
    const auto form = edge::events::from_form(*fields, "https://a.example/", "f");
    if (!edge::json::Document::parse(form.raw, edge::json::kEvent)) {
      std::abort();
    }
  }
  return 0;
}
