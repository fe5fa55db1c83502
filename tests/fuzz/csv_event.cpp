// SPDX-License-Identifier: MIT
// A table that somebody wants replayed: every row becomes a JSON object or an error.
#include "core/delivery/csv_event.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "core/encoding/csv.h"
#include "core/json/document.h"

using edge::delivery::CsvEvents;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<CsvEvents> events;
  edge::encoding::CsvReader reader(',', [&](edge::encoding::CsvReader::Row& row) {
    if (!events) {
      auto header = CsvEvents::read_header(row.fields, {});
      if (header) {
        events = std::move(*header);
      }
      return header.has_value();
    }
    const auto event = events->event_of(row.fields);
    if (event && !edge::json::Document::parse(*event, edge::json::kEvent)) {
      std::abort();
    }
    return true;
  });
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (reader.feed(text)) {
    reader.finish();
  }
  return 0;
}
