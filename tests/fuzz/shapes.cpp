// SPDX-License-Identifier: MIT
// Other ways to say an event (pixel queries, real-time actions, inbound webhooks, events of
// Optimizely's data platform): any octets either become a JSON object or are refused.
#include "core/events/shapes.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void require_object(const std::string& raw) {
  const auto document = edge::json::Document::parse(raw, edge::json::kEvent);
  require(document && document->root().is_object());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  namespace events = edge::events;
  for (const std::string_view type : {"track", "page", "identify", "alias"}) {
    if (const auto pixel = events::from_pixel_query(type, text)) {
      require_object(pixel->raw);
    }
  }
  const auto document = edge::json::Document::parse(text, edge::json::kEvent);
  if (!document) {
    return 0;
  }
  if (const auto action = events::from_action(document->root())) {
    require_object(*action);
  }
  if (const auto event = events::from_odp(document->root())) {
    require_object(*event);
  }
  using events::InboundKind;
  for (const InboundKind kind :
       {InboundKind::Segment, InboundKind::Optimizely, InboundKind::Custom}) {
    if (const auto list = events::from_inbound(kind, document->root(), "fuzz")) {
      for (const std::string& raw : *list) {
        require_object(raw);
      }
    }
  }
  return 0;
}
